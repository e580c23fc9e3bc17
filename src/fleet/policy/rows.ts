import type { Fleet } from '../state/fleet.ts';
import type { Vm } from '../state/vm.ts';
import type { VmTableRow, VmTableUpdate } from '../values/vm-table-row.ts';
import type { Now } from './on-host-event.ts';

/** The row of a VM as it is first written (R7); undefined without a report. */
export function newRowOf(fleet: Fleet, vm: Vm, atMs: number, { nowMs, epochMs }: Now): VmTableRow | undefined {
  const update = rowUpdateOf(vm, atMs);
  if (update === undefined) return undefined;
  const { id, address, pid, imageDigest } = vm;
  const startedMs = Math.round(epochMs - (nowMs - vm.startedMs));
  return { vm: id, address, host: fleet.host.name, pid, imageDigest, startedMs, ...update };
}

/** The fields of it that may be lost in a crash. */
export function rowUpdateOf({ state, report, freeCount }: Vm, atMs: number): VmTableUpdate | undefined {
  return report === undefined ? undefined : { state, report, freeCount, lastConnectMs: atMs };
}
