import { readdirSync, rmSync } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Found, type ImageInfo, inspectImage } from '../hypervisor/mod.ts';
import { TEMPORARY_SUFFIX } from '../process/mod.ts';
import type { DataDir } from './data-dir.ts';

const FOLDER = 'images';

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

/** Removes copies that no VM runs, and temporary files that a crash left; none of them while a VM cannot be identified. */
export function removeOldImages(data: DataDir, current: string, found: readonly Found[]): void {
  if (found.some(({ kind }) => kind === 'unknown')) return;
  const folder = data.folder(FOLDER);
  const digests = found.flatMap((one) => (one.kind === 'running' ? [one.manifest.spec.imageDigest] : []));
  const inUse = new Set([current, ...digests].map((digest) => fileOf(folder, digest)));
  for (const name of readdirSync(folder)) {
    if (!inUse.has(join(folder, name))) rmSync(join(folder, name), { force: true });
  }
}

function fileOf(folder: string, digest: string): string {
  return join(folder, `${digest}.elf`);
}
