import { ShoalError } from '../errors.ts';
import type { SimulatedProcess } from './process.ts';

/**
 * How the guests of an image behave. `mute`: none becomes ready, although the check found nothing; `crashing`: over the first request;
 * `failing`: each answer is 502; `wrong`: each is 404; `unfit`: the check refuses it.
 */
export const IMAGE_KINDS = ['sound', 'mute', 'crashing', 'failing', 'wrong', 'unfit'] as const;

export type ImageKind = (typeof IMAGE_KINDS)[number];

const DIGEST_CHARS = 64;

/** The image that each host starts with. */
export const FIRST_IMAGE = digestOf('sound', 0);

/** The digest of an image: its first digit says how it behaves. */
export function digestOf(kind: ImageKind, number: number): string {
  return `${IMAGE_KINDS.indexOf(kind)}${number.toString(16).padStart(DIGEST_CHARS - 1, '0')}`;
}

export function kindOf(digest: string): ImageKind {
  return IMAGE_KINDS[Number(digest[0])] ?? 'sound';
}

/** Where each simulated host has its image. */
export const IMAGE_PATH = 'simulated';

export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

const CHECK_MS = 200;

/** The check of an image before its deploy. @throws VM_BOOT_TIMEOUT */
export function checkImage(digest: string, process: SimulatedProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    process.later(CHECK_MS, () => {
      if (kindOf(digest) !== 'unfit') return resolve();
      reject(new ShoalError('VM_BOOT_TIMEOUT', 'it was not ready in time (simulated)'));
    });
  });
}
