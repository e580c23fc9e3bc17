import { realpathSync } from 'node:fs';
import { ShoalError } from '../errors.ts';
import { createQemuHypervisor, type Found } from '../hypervisor/mod.ts';
import { type Spawner, whileThere } from '../process/mod.ts';
import { formerPath } from './data-dir.ts';
import { tagOf } from './fleet-tag.ts';

/** Counts the VMs that a killed Shoal left running, and touches none of them. */
export async function orphanedVms(directory: string): Promise<number> {
  const path = whileThere(() => realpathSync(directory));
  if (path === undefined) return 0;
  const found = await findVms(tagOf(path));
  return found.filter(({ kind }) => kind === 'running' || kind === 'orphan').length;
}

/**
 * VMs are found by the path of their data directory. If it was moved while VMs run, no Shoal would find them.
 * @throws DATA_DIR_UNUSABLE naming the former path
 */
export async function refuseMoved(directory: string): Promise<void> {
  const path = whileThere(() => realpathSync(directory));
  const former = path === undefined ? undefined : formerPath(path);
  if (path === undefined || former === undefined) return;
  const left = await countVms(tagOf(former));
  if (left === 0) return;
  const vms = left === 1 ? '1 VM that still runs was' : `${left} VMs that still run were`;
  throw new ShoalError(
    'DATA_DIR_UNUSABLE',
    `The data directory ${path} was at ${former} when ${vms} started: move it back, end them with \`shoal up\` and \`shoal down\`, and then move it`,
    { details: { directory: path, movedFrom: former, vms: left } },
  );
}

/** VMs of an earlier Shoal, known or not. */
export async function countVms(tag: string): Promise<number> {
  return (await findVms(tag)).filter(({ kind }) => kind !== 'gone').length;
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
