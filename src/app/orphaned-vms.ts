import { realpathSync } from 'node:fs';
import { ShoalError } from '../errors.ts';
import { createQemuHypervisor, type Found } from '../hypervisor/mod.ts';
import { type Spawner, whileThere } from '../process/mod.ts';
import { tagOf } from './fleet-tag.ts';

/** Counts the VMs that a killed Shoal left running, and touches none of them. */
export async function orphanedVms(directory: string): Promise<number> {
  const path = whileThere(() => realpathSync(directory));
  if (path === undefined) return 0;
  const found = await findVms(tagOf(path));
  return found.filter(({ kind }) => kind === 'running' || kind === 'orphan').length;
}

/** Looks into the run directories of a fleet. */
export function findVms(tag: string): Promise<readonly Found[]> {
  return createQemuHypervisor({ fleetTag: tag, spawner: NO_SPAWNER }).list();
}

/** `list` starts no process. */
const NO_SPAWNER: Spawner = {
  spawn: () => Promise.reject(new ShoalError('INTERNAL', 'this hypervisor only looks')),
  onExit: () => undefined,
  close: () => Promise.resolve(),
};
