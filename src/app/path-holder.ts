import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeRoot } from '../hypervisor/mod.ts';
import { identify, isAlive, isProcessIdentity, makeFolder, type ProcessIdentity, writeAtomic } from '../process/mod.ts';
import { readDataFile } from './data-file.ts';
import { tagOf } from './fleet-tag.ts';

/**
 * Who runs on the path of a data directory, in a file beside the run directories. VMs are found by that path. If the directory is removed or
 * replaced while a Shoal runs on it, the lock in it is gone, and the VMs still belong to that Shoal.
 * @param path the directory's real path
 * @returns undefined if nobody does @throws DATA_DIR_UNUSABLE if the file cannot be read
 */
export function holderOfPath(path: string): ProcessIdentity | undefined {
  const file = fileOf(path);
  const holder = file === undefined ? undefined : parsed(readDataFile(file));
  return isProcessIdentity(holder) && isAlive(holder) ? holder : undefined;
}

/** A file that cannot be written keeps no fleet from running: the lock in the directory holds without it. */
export function holdPath(path: string): void {
  const file = fileOf(path);
  if (file === undefined) return;
  try {
    makeFolder(runtimeRoot());
    writeAtomic(file, `${JSON.stringify(identify(process.pid))}\n`);
  } catch {
    return;
  }
}

/** What cannot be removed names a process that is about to end. */
export function releasePath(path: string): void {
  try {
    const file = fileOf(path);
    if (file !== undefined && holderOfPath(path)?.pid === process.pid) rmSync(file, { force: true });
  } catch {
    return;
  }
}

/** Undefined if this user has no place for run directories, and so no VMs. */
function fileOf(path: string): string | undefined {
  try {
    return join(runtimeRoot(), `${tagOf(path)}.json`);
  } catch {
    return undefined;
  }
}

/** @returns undefined if it is no JSON */
export function parsed(content: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(content?.toString() ?? 'null');
  } catch {
    return undefined;
  }
}
