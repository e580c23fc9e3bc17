import { accessSync, constants, statSync } from 'node:fs';
import { ShoalError, whyUnreadable } from '../../errors.ts';
import { guestFile } from '../../guest-files.ts';
import { type ImageProfile, usesOwnFirmware } from '../profile/profile.ts';

/** It takes a guest to its entry in some 0.3 ms, where the firmware that comes with QEMU took 3.6 (docs/performance.md). */
export const FIRMWARE = guestFile('shoal-firmware.bin', 'build/shoal-firmware.bin');

/** The room before the first 4 GiB in which it ends (`firmware.ld`). */
const FIRMWARE_BYTES = 65_536;

/**
 * Looks whether the firmware that a machine of this profile starts with is there. Whoever builds or installs anew may have taken it away.
 * @throws IMAGE_MISSING, IMAGE_INVALID
 */
export function checkFirmware(profile: ImageProfile, path = FIRMWARE): void {
  if (!usesOwnFirmware(profile)) return;
  const bytes = bytesOf(path);
  if (bytes === FIRMWARE_BYTES) return;
  const why =
    bytes === undefined ? 'it is not a regular file' : `it has ${bytes} bytes, and should have ${FIRMWARE_BYTES}`;
  throw new ShoalError('IMAGE_INVALID', `${path} is not the firmware that VMs start with: ${why}. ${REMEDY}`, {
    details: { path, why },
  });
}

const REMEDY = '"npm run image" builds it in a checkout; the published package contains it: install that again';

/** @returns undefined if it is no file @throws IMAGE_MISSING */
function bytesOf(path: string): number | undefined {
  try {
    accessSync(path, constants.R_OK);
    const stat = statSync(path);
    return stat.isFile() ? stat.size : undefined;
  } catch (cause) {
    const message = `The firmware ${path}, which VMs start with, cannot be read: ${whyUnreadable(cause)}. ${REMEDY}`;
    throw new ShoalError('IMAGE_MISSING', message, { cause, details: { path } });
  }
}
