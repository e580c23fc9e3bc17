import type { RouteDecision } from './decision.ts';
import type { Fleet } from './fleet.ts';
import type { VmId } from './vm.ts';
import type { Vm } from './vm-record.ts';

const WAIT: RouteDecision = { kind: 'wait', rule: 'R3' };

/**
 * What becomes of a request that nobody waits before (R2, R3, R4). Pure.
 * @param nowMs monotonic milliseconds
 * @param others requests that wait beside it
 */
export function route(fleet: Fleet, nowMs: number, others = fleet.waiting): RouteDecision {
  const free = fleet.freeVm();
  if (free !== undefined) return { kind: 'dispatch', rule: 'R2', vm: free };
  if (!isExhausted(fleet, nowMs, others)) return waitOrRefuse(fleet);
  const vm = leastLoaded(fleet);
  return vm === undefined ? waitOrRefuse(fleet) : { kind: 'dispatch', rule: 'R4', vm };
}

/** Requests that the VMs now starting will take at once when they are ready. */
export function capacityToCome(fleet: Fleet): number {
  return fleet.starting * fleet.params.vmRequestsMax;
}

/** What becomes of a request that comes while others wait: it stands in line behind them. */
export function waitOrRefuse(fleet: Fleet): RouteDecision {
  const { routerQueueMax } = fleet.params;
  if (fleet.waiting < routerQueueMax) return WAIT;
  const message = `overloaded: ${fleet.waiting} requests wait already (router_queue_max ${routerQueueMax})`;
  return { kind: 'refuse', rule: 'R4', status: 503, message };
}

/** R4's condition: with this request more wait than the VMs to come will take, and no address is free for one more. */
function isExhausted(fleet: Fleet, nowMs: number, others: number): boolean {
  if (others + 1 <= capacityToCome(fleet)) return false;
  // A spare has its address already.
  return fleet.spares === 0 && fleet.freeAddresses(nowMs).next().done === true;
}

/** Fewest in flight, then lowest `cpu`, then `ram`, then id. */
function leastLoaded(fleet: Fleet): VmId | undefined {
  let best: Vm | undefined;
  for (const id of fleet.emptiestWithRoom()) {
    const vm = fleet.vm(id);
    if (vm !== undefined && (best === undefined || compareLoad(vm, best) < 0)) best = vm;
  }
  return best?.id;
}

function compareLoad(a: Vm, b: Vm): number {
  return (
    (a.report?.cpuPercent ?? 0) - (b.report?.cpuPercent ?? 0) ||
    (a.report?.ramBytes ?? 0) - (b.report?.ramBytes ?? 0) ||
    a.id - b.id
  );
}
