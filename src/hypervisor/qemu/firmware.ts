import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { ShoalError, whyUnreadable } from '../../errors.ts';
import { signatureOf } from '../../file-signature.ts';
import { guestFile } from '../../guest-files.ts';
import { type ImageProfile, usesOwnFirmware } from '../profile/profile.ts';

/** It takes a guest to its entry in some 0.3 ms, where the firmware that comes with QEMU took 3.6 (docs/performance.md). */
export const FIRMWARE = guestFile('shoal-firmware.bin', 'build/shoal-firmware.bin');

/** The room before the first 4 GiB in which it ends (`firmware.ld`). */
const FIRMWARE_BYTES = 65_536;
/** How it begins: with its kind, and the SHA-256 of what follows the label (`build.sh`). */
const LABEL_BYTES = 128;
const LABEL = /^shoal-firmware 1 ([0-9a-f]{64})\n/;

const REMEDY = '"npm run image" builds it in a checkout; the published package contains it: install that again';

/** The file that was found to be one, and when. Each start looks, and the file hardly ever changes. */
let known = { path: '', signature: '' };

/**
 * Looks whether the firmware that a machine of this profile starts with is there, and is what was built. Whoever builds or installs anew
 * may have taken it away, and a guest that starts with anything else says nothing.
 * @throws IMAGE_MISSING, IMAGE_INVALID
 */
export function checkFirmware(profile: ImageProfile, path = FIRMWARE): void {
  if (!usesOwnFirmware(profile)) return;
  const signature = signatureOf(path);
  if (signature !== '' && path === known.path && signature === known.signature) return;
  const why = whyNoFirmware(path);
  if (why !== undefined) {
    throw new ShoalError('IMAGE_INVALID', `${path} is not the firmware that VMs start with: ${why}. ${REMEDY}`, {
      details: { path, why },
    });
  }
  known = { path, signature };
}

/** @throws IMAGE_MISSING */
function whyNoFirmware(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    const stat = statSync(path);
    if (!stat.isFile()) return 'it is not a regular file';
    if (stat.size !== FIRMWARE_BYTES) return `it has ${stat.size} bytes, and should have ${FIRMWARE_BYTES}`;
    return whyNotOurs(readFileSync(path));
  } catch (cause) {
    const message = `The firmware ${path}, which VMs start with, cannot be read: ${whyUnreadable(cause)}. ${REMEDY}`;
    throw new ShoalError('IMAGE_MISSING', message, { cause, details: { path } });
  }
}

function whyNotOurs(bytes: Buffer): string | undefined {
  const [, told] = LABEL.exec(bytes.toString('latin1', 0, LABEL_BYTES)) ?? [];
  if (told === undefined) return 'it has no label of this Shoal';
  const digest = createHash('sha256').update(bytes.subarray(LABEL_BYTES)).digest('hex');
  return digest === told ? undefined : 'it was changed after it was built';
}
