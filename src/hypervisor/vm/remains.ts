import { messageOf } from '../../errors.ts';
import type { VmId } from '../../fleet/mod.ts';
import type { ProcessIdentity } from '../../process/mod.ts';
import type { Found, Hypervisor, Machine } from '../port.ts';

/** What is left of a VM that has ended, or is to end with nobody driving it. */
export type Remains =
  /**
   * Its process is confirmed gone.
   * @param orphaned how Shoal has ended it, if somebody had removed its run directory
   * @param left why its run directory could not be removed: that keeps no address
   */
  | { readonly kind: 'gone'; readonly orphaned?: string; readonly left?: string }
  /** Its process may run. */
  | { readonly kind: 'unidentified'; readonly why: string };

/**
 * Confirms that the process of a VM is gone, ends it if it is not, and removes the run directory. Never rejects.
 * @param machine whose exit is known; undefined if there never was one, or it was lost
 */
export async function clearRemains(hypervisor: Hypervisor, vm: VmId, machine: Machine | undefined): Promise<Remains> {
  if (machine !== undefined) return removed(machine.remove());
  try {
    const found = await hypervisor.find(vm);
    return found === undefined ? { kind: 'gone' } : await clearFound(hypervisor, found);
  } catch (error) {
    return { kind: 'unidentified', why: messageOf(error) };
  }
}

/** The same for a VM that was found. Never rejects. */
export async function clearFound(hypervisor: Hypervisor, found: Found): Promise<Remains> {
  try {
    switch (found.kind) {
      case 'gone':
        return await removed(hypervisor.discard(found.vm));
      case 'orphan':
        return await endedOrphan(hypervisor, found);
      case 'running': {
        const { process, spec } = found.manifest;
        if (process === undefined || !(await hypervisor.end(process))) return stillThere(process);
        return await removed(hypervisor.discard(spec.vm));
      }
      case 'unknown':
        return { kind: 'unidentified', why: found.why };
    }
  } catch (error) {
    return { kind: 'unidentified', why: messageOf(error) };
  }
}

async function endedOrphan(
  hypervisor: Hypervisor,
  { vm, directory, process }: Extract<Found, { kind: 'orphan' }>,
): Promise<Remains> {
  if (!(await hypervisor.end(process))) return stillThere(process);
  const orphaned = `somebody removed its run directory ${directory}: its process ${process.pid} was ended`;
  return { ...(await removed(hypervisor.discard(vm))), orphaned };
}

function stillThere(process: ProcessIdentity | undefined): Remains {
  return { kind: 'unidentified', why: `its process ${process?.pid} does not end` };
}

function removed(removing: Promise<void>): Promise<Extract<Remains, { kind: 'gone' }>> {
  return removing.then(
    () => ({ kind: 'gone' }),
    (error: unknown) => ({ kind: 'gone', left: messageOf(error) }),
  );
}
