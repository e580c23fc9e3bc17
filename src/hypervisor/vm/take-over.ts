import type { VmId } from '../../fleet/mod.ts';
import type { Found, Hypervisor, Machine } from '../port.ts';

/**
 * Finds out what became of a VM, and adopts it if it runs.
 * @param own takes charge of the machine
 * @returns what was found, and whether its CPU runs
 */
export async function takeOver(
  hypervisor: Hypervisor,
  vm: VmId,
  own: (machine: Machine) => Promise<unknown>,
): Promise<{ readonly found: Found | undefined; readonly running: boolean }> {
  const found = await hypervisor.find(vm);
  if (found?.kind !== 'running') return { found, running: false };
  const machine = await hypervisor.adopt(found.manifest);
  try {
    // Events were lost while nobody listened, so its state must be asked for.
    const status = await machine.qmp('query-status');
    await own(machine);
    return {
      found,
      running: typeof status === 'object' && status !== null && 'running' in status && status.running === true,
    };
  } catch (error) {
    await machine.release();
    throw error;
  }
}
