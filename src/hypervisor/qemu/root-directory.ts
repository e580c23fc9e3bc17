import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { isOnTmpfs } from '../../process/mod.ts';

/** The usual parent, and one in memory, as containers have whose `/run` is on a disk. */
export const PARENTS = { usual: '/run', inMemory: '/dev/shm' } as const;
const NAME = 'shoal';
/** Docker's default of 64 MB would be full with the consoles of a thousand VMs. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;

let chosen: string | undefined;

/** Where root has run directories. It stays the same for as long as a process lives. */
export function rootDirectory(): string {
  chosen ??= chooseRootDirectory();
  return chosen;
}

/**
 * `/run/shoal`. If that is on a disk, where the start of a VM takes a tenth longer, `/dev/shm/shoal`, unless a fleet has its own in
 * `/run/shoal`: the VMs of an earlier Shoal are found where they are.
 */
export function chooseRootDirectory(
  parents: { usual: string; inMemory: string } = PARENTS,
  isInMemory = isOnTmpfs,
): string {
  const usual = join(parents.usual, NAME);
  const inMemory = join(parents.inMemory, NAME);
  try {
    if (isInMemory(parents.usual) || !isInMemory(parents.inMemory)) return usual;
    const owner = ownerOf(inMemory);
    if (owner === process.getuid?.()) return inMemory;
    // Anybody may make a directory there.
    if (owner !== undefined || fleetsIn(usual) > 0) return usual;
    const { bavail, bsize } = statfsSync(parents.inMemory);
    return bavail * bsize < FREE_BYTES_MIN ? usual : inMemory;
  } catch {
    return usual;
  }
}

/** Undefined if there is nothing; of what is no directory, nobody. */
function ownerOf(path: string): number | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : found.isDirectory() ? found.uid : -1;
}

/** The folders of fleets. A file only names a Shoal that runs, or was killed. */
function fleetsIn(path: string): number {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return 0;
  return readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()).length;
}
