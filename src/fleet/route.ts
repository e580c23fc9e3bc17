import type { RouteDecision } from './decision.ts';
import type { Fleet, Vm } from './fleet.ts';

const WAIT: RouteDecision = { kind: 'wait', rule: 'R3' };

/**
 * What becomes of a request that nobody waits before (R2, R3, R4). Pure.
 * @param nowMs monotonic milliseconds
 */
export function route(fleet: Fleet, nowMs: number): RouteDecision {
  const free = fleet.fullestFree();
  if (free !== undefined) return { kind: 'dispatch', rule: 'R2', vm: free };
  if (!isExhausted(fleet, nowMs)) return waitOrRefuse(fleet);
  const vm = leastLoaded(fleet);
  return vm === undefined ? waitOrRefuse(fleet) : { kind: 'dispatch', rule: 'R4', vm: vm.id };
}

function waitOrRefuse(fleet: Fleet): RouteDecision {
  const { routerQueueMax } = fleet.params;
  if (fleet.waiting < routerQueueMax) return WAIT;
  const message = `${fleet.waiting} requests wait already (router_queue_max ${routerQueueMax})`;
  return { kind: 'refuse', rule: 'R4', status: 503, message };
}

/** R4's condition: with this request more wait than the VMs to come will take, and no address is free for one more. */
function isExhausted(fleet: Fleet, nowMs: number): boolean {
  if (fleet.waiting + 1 <= capacityToCome(fleet)) return false;
  return !fleet.pool.some((entry) => isFreeAddress(entry, nowMs));
}

/** Requests that the VMs now starting will take at once when they are ready. */
export function capacityToCome(fleet: Fleet): number {
  return fleet.starting * fleet.params.vmRequestsMax;
}

export function isFreeAddress(entry: Fleet['pool'][number], nowMs: number): boolean {
  return !entry.reserved && entry.vm === undefined && entry.quarantinedUntilMs <= nowMs;
}

function leastLoaded(fleet: Fleet): Vm | undefined {
  const { vmRequestsMax, vmBacklogMax } = fleet.params;
  let best: Vm | undefined;
  for (const vm of fleet.vms) {
    if (vm.state !== 'ready' || !vm.linked || vm.inFlight >= vmRequestsMax + vmBacklogMax) continue;
    if (best === undefined || compareLoad(vm, best) < 0) best = vm;
  }
  return best;
}

/** Fewest in flight, then lowest `cpu`, then `ram`, then id. */
function compareLoad(a: Vm, b: Vm): number {
  return (
    a.inFlight - b.inFlight ||
    (a.report?.cpuPercent ?? 0) - (b.report?.cpuPercent ?? 0) ||
    (a.report?.ramBytes ?? 0) - (b.report?.ramBytes ?? 0) ||
    a.id - b.id
  );
}
