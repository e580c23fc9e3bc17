import type { Params } from './params.ts';

/** The memory of one VM, in MiB, and what its image says of it. */
export interface VmMemory {
  /** What it was started with. */
  readonly mib: number;
  /** What its image has unless a parameter says otherwise. */
  readonly usualMib: number;
  /** What its image needs at least. */
  readonly leastMib: number;
}

const MIB = 1024 * 1024;

/**
 * How much memory a VM of an image gets if it is started now. A parameter of the fleet never leaves an image less than it needs: another
 * host may have set it for another image.
 */
export function memoryMibOf(
  { vmMemoryBytes }: Pick<Params, 'vmMemoryBytes'>,
  { usualMib, leastMib }: Omit<VmMemory, 'mib'>,
): number {
  return vmMemoryBytes === 0 ? usualMib : Math.max(vmMemoryBytes / MIB, leastMib);
}
