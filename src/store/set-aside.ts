import { basename, dirname, join } from 'node:path';
import type { Clock } from '../actors/mod.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';

/**
 * The first step of a rebuild, only when a person asks for it: moves a file that `openLowdbStore` refused to `NAME.damaged-MS`, where
 * MS are milliseconds since the epoch. The next open starts empty; then `addAddresses`, and `reserve` and `insertVm` for each VM that
 * the hosts report, **before** the first `nextVmId`, because the counter is lost with the file and follows from these.
 * @returns where it is now; undefined if there is none
 */
export async function setStoreAside(
  path: string,
  clock: Clock,
  files: FileSystem = nodeFileSystem,
): Promise<string | undefined> {
  const folder = dirname(path);
  const names = new Set(await files.readdir(folder));
  if (!names.has(basename(path))) return undefined;
  const aside = join(folder, freeName(basename(path), clock.now(), names));
  await files.rename(path, aside);
  await files.syncFolder(folder);
  return aside;
}

/** A rename replaces what is there, and what was set aside before is not to be lost either. */
function freeName(name: string, nowMs: number, taken: ReadonlySet<string>): string {
  let ms = nowMs;
  while (taken.has(`${name}.damaged-${ms}`)) ms += 1;
  return `${name}.damaged-${ms}`;
}
