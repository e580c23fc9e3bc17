import { messageOf } from '../../errors.ts';
import type { VmId } from '../../fleet/mod.ts';
import type { Hypervisor, Machine, Manifest } from '../port.ts';
import type { VmCheckpoint } from './checkpoint.ts';
import { adoptedState, type LifecycleState } from './lifecycle-state.ts';
import { clearFound, type Remains } from './remains.ts';

/** What became of a VM that an actor did not make itself. @param running whether its CPU runs */
export type Adoption = { readonly kind: 'adopted'; readonly manifest: Manifest; readonly running: boolean } | Remains;

/**
 * Finds out what became of a VM, adopts it if it runs, and ends it if it runs and cannot be driven any more. Never
 * rejects.
 * @param own takes charge of the machine
 */
export async function adoptVm(
  hypervisor: Hypervisor,
  vm: VmId,
  own: (machine: Machine) => Promise<unknown>,
): Promise<Adoption> {
  try {
    const found = await hypervisor.find(vm);
    if (found === undefined) return { kind: 'gone' };
    if (found.kind !== 'running') return await clearFound(hypervisor, found);
    return { kind: 'adopted', manifest: found.manifest, running: await takeOver(hypervisor, found.manifest, own) };
  } catch (error) {
    return { kind: 'unidentified', why: messageOf(error) };
  }
}

/** @returns whether its CPU runs */
async function takeOver(
  hypervisor: Hypervisor,
  manifest: Manifest,
  own: (machine: Machine) => Promise<unknown>,
): Promise<boolean> {
  const machine = await hypervisor.adopt(manifest);
  try {
    // Events were lost while nobody listened, so the state has to be asked for.
    const isRunning = await machine.isRunning();
    await own(machine);
    return isRunning;
  } catch (error) {
    await machine.release();
    throw error;
  }
}

/** The state of a VM of an earlier Shoal. Commands that came before it could be adopted still count. */
export function stateOfAdopted(
  { state: { startAsked, stopAsked } }: VmCheckpoint,
  { manifest, running }: Extract<Adoption, { kind: 'adopted' }>,
): LifecycleState {
  return { ...adoptedState(running, manifest.guest), startAsked, stopAsked };
}
