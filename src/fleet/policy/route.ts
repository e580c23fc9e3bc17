import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Vm } from '../state/vm.ts';
import type { Considered } from '../values/considered.ts';
import { startableVms } from './blockage.ts';
import { noFreeVm } from './considered.ts';
import type { HandOnDecision, RouteDecision } from './decision.ts';
import { handOn, handToQueue, handToRoom, mayHandOn } from './hand-on.ts';

const WAIT: RouteDecision = { kind: 'wait', rule: 'R3' };

/**
 * What becomes of a request that nobody waits before (R2, R3, R4). Pure.
 * @param nowMs monotonic milliseconds
 * @param others requests that wait beside it
 * @param request the one that waits; undefined for one that has just come
 * @param trace takes what was considered on the way, where somebody wants to know: most requests go untraced
 */
export function route(
  fleet: Fleet,
  nowMs: number,
  others = fleet.requests.waiting,
  trace?: Considered[],
  request?: OpenRequest,
): RouteDecision {
  const mayLeave = mayHandOn(fleet, request, nowMs);
  // A host that is to be left takes the last place in each rule.
  if (mayLeave && (fleet.isCordoned || fleet.isClosing)) {
    const elsewhere = anywhere(fleet, request, trace);
    if (elsewhere !== undefined) return elsewhere;
  }
  const free = fleet.freeVm;
  if (free !== undefined) {
    trace?.push(otherFreeVms(fleet, free));
    return { kind: 'dispatch', rule: 'R2', vm: free.id };
  }
  trace?.push(noFreeVm(fleet));
  if (mayLeave) {
    const handed = handOn(fleet, 'free', request, trace) ?? handToRoom(fleet, nowMs, others, request, trace);
    if (handed !== undefined) return handed;
  }
  if (!isExhausted(fleet, nowMs, others, trace)) return waitOrRefuse(fleet, nowMs);
  const vm = fleet.leastLoaded;
  if (mayLeave) {
    const handed = handOn(fleet, 'room', request, trace) ?? handToQueue(fleet, vm?.inFlight, request, trace);
    if (handed !== undefined) return handed;
  }
  if (vm !== undefined) {
    trace?.push({ what: 'waiting for another VM', why: 'no address is free for one', rule: 'R3' });
    return { kind: 'dispatch', rule: 'R4', vm: vm.id };
  }
  trace?.push({ what: BUSY_VM, why: 'no VM that takes requests has room for another', rule: 'R4' });
  return waitOrRefuse(fleet, nowMs);
}

function anywhere(fleet: Fleet, request: OpenRequest | undefined, trace?: Considered[]): HandOnDecision | undefined {
  trace?.push({ what: 'this host', why: fleet.isClosing ? 'it is shutting down' : 'it is cordoned' });
  for (const what of ['free', 'room', 'queue'] as const) {
    const handed = handOn(fleet, what, request, trace);
    if (handed !== undefined) return handed;
  }
  return undefined;
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
function isExhausted(fleet: Fleet, nowMs: number, others: number, trace: Considered[] | undefined): boolean {
  if (others + 1 <= capacityToCome(fleet)) {
    const why = `the VMs that start take ${capacityToCome(fleet)} requests, and ${others + 1} wait`;
    trace?.push({ what: BUSY_VM, why, rule: 'R4' });
    return false;
  }
  // A spare has its address already.
  const isUsedUp = fleet.spares === 0 && fleet.freeAddresses(nowMs).next().done === true;
  if (!isUsedUp) trace?.push({ what: BUSY_VM, why: 'an address, or a spare, is there for another VM', rule: 'R4' });
  return isUsedUp;
}

const BUSY_VM = 'the queue of a busy VM';

function otherFreeVms({ routing }: Fleet, { id, inFlight }: Vm): Considered {
  const most = routing === 'pack' ? 'most' : 'fewest';
  const why = `of the free VMs, VM ${id} has the ${most} requests in flight (${inFlight}), and of equals it is the oldest`;
  return { what: 'another free VM', why, rule: 'R2' };
}
