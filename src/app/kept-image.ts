import { readdirSync, rmSync } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Found, type ImageInfo, inspectImage } from '../hypervisor/mod.ts';
import { TEMPORARY_SUFFIX } from '../process/mod.ts';
import type { DataDir } from './data-dir.ts';

const FOLDER = 'images';

/**
 * Keeps a copy of the guest image in the data directory, under its digest. VMs are started from the copy: a file that is built anew, replaced
 * or removed under a running fleet changes nothing until somebody starts Shoal again.
 * @returns the copy
 * @throws IMAGE_MISSING, IMAGE_INVALID; what the file system says if the copy cannot be made
 */
export async function keepImage(data: DataDir, { path, digest }: ImageInfo): Promise<ImageInfo> {
  const folder = data.folder(FOLDER);
  const kept = await inspectImage(fileOf(folder, digest)).catch(() => undefined);
  // A crash of the machine may have left a part of it.
  if (kept?.digest === digest) return kept;
  const temporary = join(folder, `${process.pid}${TEMPORARY_SUFFIX}`);
  try {
    await copyFile(path, temporary);
    // The file may have changed since it was looked at: the copy is what counts.
    const copy = await inspectImage(temporary);
    const target = fileOf(folder, copy.digest);
    await rename(temporary, target);
    return { ...copy, path: target };
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** The copy of an image; it may have been removed since no VM runs it. */
export function keptImagePath(data: DataDir, digest: string): string {
  return fileOf(join(data.path, FOLDER), digest);
}

/** Removes the copies that no VM runs, and what a crash has left. Of a VM that nobody can identify nobody knows what it runs. */
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
