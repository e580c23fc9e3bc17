import { constants, readdirSync, rmSync } from 'node:fs';
import { copyFile, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../errors.ts';
import { type Found, type ImageInfo, inspectImage } from '../hypervisor/mod.ts';
import { TEMPORARY_SUFFIX } from '../process/mod.ts';
import type { DataDir } from './data-dir.ts';

const FOLDER = 'images';
const PART_SUFFIX = '.part';

/**
 * Copies the guest image into the data directory, under its digest. VMs start from the copy, so that a file that is rebuilt, replaced or
 * removed changes nothing for a running fleet. The next start of Shoal takes the new file.
 * @returns the copy
 * @throws IMAGE_MISSING, IMAGE_INVALID; an error of the file system if the copy cannot be made
 */
export async function keepImage(data: DataDir, { path, digest }: ImageInfo): Promise<ImageInfo> {
  const folder = data.folder(FOLDER);
  const kept = await inspectImage(fileOf(folder, digest)).catch(() => undefined);
  // After a crash of the machine the copy may be incomplete.
  if (kept?.digest === digest) return kept;
  const temporary = join(folder, `${process.pid}${TEMPORARY_SUFFIX}`);
  try {
    await copyFile(path, temporary);
    // The file may have changed since it was inspected.
    const copy = await inspectImage(temporary);
    const target = fileOf(folder, copy.digest);
    await rename(temporary, target);
    return { ...copy, path: target };
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** The path of an image's copy, whether it still exists or not. */
export function keptImagePath(data: DataDir, digest: string): string {
  return fileOf(join(data.path, FOLDER), digest);
}

/**
 * Removes copies that no VM runs, and temporary files that a crash left; none of them while a VM cannot be identified.
 * @param needed digests of images that VMs may be started from
 */
export function removeOldImages(data: DataDir, needed: readonly string[], found: readonly Found[]): void {
  if (found.some(({ kind }) => kind === 'unknown')) return;
  const folder = data.folder(FOLDER);
  const digests = found.flatMap((one) => (one.kind === 'running' ? [one.manifest.spec.imageDigest] : []));
  const inUse = new Set([...needed, ...digests].map((digest) => fileOf(folder, digest)));
  for (const name of readdirSync(folder)) {
    if (!inUse.has(join(folder, name))) rmSync(join(folder, name), { force: true });
  }
}

/**
 * The copy of an image that was deployed.
 * @throws IMAGE_MISSING if it is not there any more, or damaged
 */
export async function deployedImage(data: DataDir, digest: string): Promise<ImageInfo> {
  const path = keptImagePath(data, digest);
  const kept = await inspectImage(path).catch(() => undefined);
  if (kept?.digest === digest) return kept;
  throw new ShoalError(
    'IMAGE_MISSING',
    `The deployed image ${path} is not there any more, or damaged: put it back, or start with --fresh, which takes that of --image`,
    { details: { path } },
  );
}

/**
 * Takes a part of an image that somebody sends. The last part makes it a copy as `keepImage` makes it.
 * @returns whether the image is complete
 * @throws IMAGE_INVALID if it is none, or not the one that was announced
 */
export async function keepPart(data: DataDir, { digest, bytes, at, part }: ImagePart): Promise<boolean> {
  const folder = data.folder(FOLDER);
  const temporary = join(folder, `${digest}${PART_SUFFIX}`);
  // By position: whoever else sends the same image writes the same bytes.
  const file = await open(temporary, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await file.write(part, 0, part.length, at);
    if (at + part.length < bytes) return false;
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    const copy = await inspectImage(temporary);
    if (copy.digest !== digest) {
      throw new ShoalError('IMAGE_INVALID', `The image came as ${copy.digest}, and not as ${digest}: send it again`);
    }
    await rename(temporary, fileOf(folder, digest));
    return true;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export interface ImagePart {
  readonly digest: string;
  /** Of the whole image. */
  readonly bytes: number;
  readonly at: number;
  readonly part: Uint8Array;
}

/** Whether a whole copy of the image is there. */
export async function hasImage(data: DataDir, digest: string): Promise<boolean> {
  const kept = await inspectImage(keptImagePath(data, digest)).catch(() => undefined);
  return kept?.digest === digest;
}

function fileOf(folder: string, digest: string): string {
  return join(folder, `${digest}.elf`);
}
