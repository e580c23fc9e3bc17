import type { Scenario } from '../sim/mod.ts';

/** Heap of a VM, its simulated machine too, and of what two hosts know of each other: `docs/simulation.md`, "Size and speed". */
const VM_BYTES = 60_000;
const PAIR_BYTES = 5_500;
/** What comes on top, such as requests under way. */
const ROOM = 1.4;
const GB = 1e9;
const MIB = 1024 ** 2;

/**
 * What to do about a run that will probably not fit into memory: V8 ends the process then, without a word that helps.
 * @param heapBytes what Node takes at the most
 * @returns undefined if it fits
 */
export function memoryHint(
  { hosts, addresses, params }: Pick<Scenario, 'hosts' | 'addresses' | 'params'>,
  heapBytes: number,
): string | undefined {
  const vms = hosts * Math.min(addresses, params['min_vm_count'] ?? 0);
  const bytes = ROOM * (vms * VM_BYTES + hosts * hosts * PAIR_BYTES);
  if (bytes <= heapBytes) return undefined;
  const what = `${hosts === 1 ? '' : `${hosts} hosts with `}${vms} VMs`;
  const remedy = `set NODE_OPTIONS=--max-old-space-size=${Math.ceil(bytes / MIB)}, or simulate fewer`;
  return `${what} take about ${(bytes / GB).toFixed(1)} GB, and Node takes up to ${(heapBytes / GB).toFixed(1)} GB: ${remedy}`;
}
