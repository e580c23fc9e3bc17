import { realpathSync } from 'node:fs';
import { ShoalError } from '../errors.ts';
import { createQemuHypervisor, type Found } from '../hypervisor/mod.ts';
import { type Spawner, whileThere } from '../process/mod.ts';
import { formerPath } from './data-dir.ts';
import { tagOf } from './fleet-tag.ts';

/** What a killed Shoal left running. */
export interface LeftVms {
  readonly count: number;
  /** Of each thing that may be a VM, where it is and why that cannot be told. */
  readonly unknown: readonly string[];
}

/** Looks for what a killed Shoal left running, and touches none of it. */
export async function leftVms(directory: string): Promise<LeftVms> {
  const path = whileThere(() => realpathSync(directory));
  const found = path === undefined ? [] : await findVms(tagOf(path));
  return {
    count: found.filter(({ kind }) => kind === 'running' || kind === 'orphan').length,
    unknown: found.flatMap((one) => (one.kind === 'unknown' ? [`${one.directory} is left alone: ${one.why}`] : [])),
  };
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
