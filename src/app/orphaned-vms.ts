import { realpathSync } from 'node:fs';
import { createQemuHypervisor, type Found } from '../hypervisor/mod.ts';
import { createLauncher } from '../process/mod.ts';
import { tagOf } from './data-dir.ts';
import { whileThere } from './while-there.ts';

/** Counts the VMs that run although no Shoal runs on their data directory. It only looks. */
export async function orphanedVms(directory: string): Promise<number> {
  const path = whileThere(() => realpathSync(directory));
  if (path === undefined) return 0;
  const found = await findVms(tagOf(path));
  return found.filter(({ kind }) => kind === 'running').length;
}

/** What is in the run directories of a fleet. */
export async function findVms(tag: string): Promise<readonly Found[]> {
  // Nothing is spawned by looking.
  const launcher = createLauncher();
  try {
    return await createQemuHypervisor({ fleetTag: tag, spawner: launcher }).list();
  } finally {
    await launcher.close();
  }
}
