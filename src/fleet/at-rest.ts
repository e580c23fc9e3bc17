import type { Fleet } from './fleet.ts';
import type { Vm } from './vm-record.ts';

/**
 * Whether the rules have nothing to wait for but reports and requests: no VM comes or goes or is to, and all were heard of lately. Whoever
 * looks less often then still sees each thing that time alone brings about when it is due.
 */
export function isAtRest(fleet: Fleet, nowMs: number): boolean {
  const { minVmCount, lastConnectMs } = fleet.params;
  if (fleet.isClosing || fleet.waiting > 0) return false;
  // R1 and R5 count on each host.
  const ready = readyByHost(fleet);
  for (const vm of fleet.vms) if (!isQuiet(vm, fleet, ready.get(vm.host) ?? 0, nowMs)) return false;
  for (const { name, downMs, heardMs } of fleet.hosts) {
    if (downMs !== undefined || (ready.get(name) ?? 0) < minVmCount) return false;
    if (heardMs !== undefined && nowMs - heardMs > lastConnectMs / 2) return false;
  }
  return true;
}

function isQuiet(vm: Vm, fleet: Fleet, readyOnHost: number, nowMs: number): boolean {
  const { freeCount, minVmCount, lastConnectMs } = fleet.params;
  if (vm.state === 'prepared') return vm.spare;
  if (vm.state !== 'ready' || !vm.linked || vm.heardMs === undefined || vm.inFlight > 0) return false;
  // Half of the limit is longer than any rest: its end is not slept through.
  return nowMs - vm.heardMs <= lastConnectMs / 2 && (vm.freeCount < freeCount || readyOnHost <= minVmCount);
}

function readyByHost(fleet: Fleet): ReadonlyMap<string, number> {
  const ready = new Map<string, number>();
  for (const { host, state } of fleet.vms) if (state === 'ready') ready.set(host, (ready.get(host) ?? 0) + 1);
  return ready;
}
