import { basename, dirname, join } from 'node:path';
import type { Clock } from '../actors/mod.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';

/**
 * The first step of a rebuild, which only a user asks for: moves a file that `openLowdbStore` refused to `NAME.damaged-MS`, where MS are
 * milliseconds since the epoch. The next open starts empty. Call `addAddresses` and `reserve` for each running VM **before** the first
 * `nextVmId`: the counter is lost with the file and follows from these.
 * @returns its new path; undefined if there is no file
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

/** A rename would replace a file that was set aside before. */
function freeName(name: string, nowMs: number, taken: ReadonlySet<string>): string {
  let ms = nowMs;
  while (taken.has(`${name}.damaged-${ms}`)) ms += 1;
  return `${name}.damaged-${ms}`;
}
