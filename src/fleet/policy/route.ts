import type { Fleet } from '../state/fleet.ts';
import { startableVms } from './blockage.ts';
import type { RouteDecision } from './decision.ts';

const WAIT: RouteDecision = { kind: 'wait', rule: 'R3' };

/**
 * What becomes of a request that nobody waits before (R2, R3, R4). Pure.
 * @param nowMs monotonic milliseconds
 * @param others requests that wait beside it
 */
export function route(fleet: Fleet, nowMs: number, others = fleet.requests.waiting): RouteDecision {
  const free = fleet.freeVm;
  if (free !== undefined) return { kind: 'dispatch', rule: 'R2', vm: free.id };
  if (!isExhausted(fleet, nowMs, others)) return waitOrRefuse(fleet, nowMs);
  const vm = fleet.leastLoaded;
  return vm === undefined ? waitOrRefuse(fleet, nowMs) : { kind: 'dispatch', rule: 'R4', vm: vm.id };
}

/** Requests that the VMs now starting will take at once when they are ready. */
export function capacityToCome(fleet: Fleet): number {
  return fleet.starting * fleet.params.vmRequestsMax;
}

/** What becomes of a request that comes while others wait: it stands in line behind them. */
export function waitOrRefuse(fleet: Fleet, nowMs: number): RouteDecision {
  const { routerQueueMax, vmRequestsMax } = fleet.params;
  const { waiting } = fleet.requests;
  // Those that the VMs to come take at once do not queue for those that run, and neither do those that R3 will start VMs for.
  const limit = routerQueueMax + capacityToCome(fleet);
  if (waiting < limit || waiting < limit + startableVms(fleet, nowMs) * vmRequestsMax) return WAIT;
  const message = `overloaded: ${waiting} requests wait already (router_queue_max ${routerQueueMax})`;
  return { kind: 'refuse', rule: 'R4', reason: 'queue-full', message };
}

/** R4's condition: with this request more wait than the VMs to come will take, and no address is free for one more. */
function isExhausted(fleet: Fleet, nowMs: number, others: number): boolean {
  if (others + 1 <= capacityToCome(fleet)) return false;
  // A spare has its address already.
  return fleet.spares === 0 && fleet.freeAddresses(nowMs).next().done === true;
}
