import { HOPS_AGAIN_MS, HOPS_MAX } from '../values/neighbour.ts';
import type { Params } from '../values/params.ts';
import type { NeighbourRecord } from './neighbour.ts';
import { hopsOf } from './open-request.ts';
import type { RequestTable } from './request-table.ts';
import type { RuleClock } from './rule-clock.ts';
import type { RequestTransition } from './transition.ts';
import type { VmRecord } from './vm.ts';

/** What has changed of the VM with its requests: nothing, its load alone, or more. */
export type VmChange = 'nothing' | 'load' | 'record';

/**
 * Moves a request.
 * @param vm the one that it is on, or is dispatched to
 * @returns undefined if the transition does not fit: nothing changed
 */
export function changeRequest(
  requests: RequestTable,
  vm: VmRecord | undefined,
  transition: Exclude<RequestTransition, { kind: 'request-handed' }>,
  params: Params,
  clock: RuleClock,
): VmChange | undefined {
  const { request } = transition;
  switch (transition.kind) {
    case 'request-waits':
      requests.wait(request, transition.where);
      return 'nothing';
    case 'request-dispatched': {
      if (vm === undefined) return undefined;
      request.wasFree = vm.inFlight < params.vmRequestsMax;
      requests.putOn(request, vm);
      request.tries += 1;
      vm.dispatchedSinceReport = true;
      request.dueMs = clock.of(request.deadlineMs);
      // A VM that was asked whether it lives, and has work now, is asked anew once that is overdue.
      const wasAsked = vm.askedMs !== undefined;
      vm.askedMs = undefined;
      return wasAsked ? 'record' : 'load';
    }
    case 'request-refused': {
      const hops = hopsOf(request);
      const refusedBy = [...hops.refusedBy, { host: transition.by, tellings: transition.tellings }];
      const isLast = refusedBy.length >= HOPS_MAX;
      hops.refusedBy = isLast ? [] : refusedBy;
      if (isLast) hops.notBeforeMs = transition.nowMs + HOPS_AGAIN_MS;
      return 'nothing';
    }
    case 'request-asks':
      requests.ask(request);
      return 'nothing';
    case 'waiter-extended':
      requests.extend(transition.waiter, transition.untilMs);
      return 'nothing';
    case 'request-orphaned':
      requests.mayBeOrphaned(request);
      return 'nothing';
    case 'request-left':
      return requestLeft(requests, vm, transition, clock);
  }
}

/** Puts a request on another host. @returns false if it is somewhere already: nothing changed */
export function handRequest(
  requests: RequestTable,
  { request, frame }: Extract<RequestTransition, { kind: 'request-handed' }>,
  neighbour: NeighbourRecord,
): boolean {
  if (request.place !== undefined) return false;
  request.frame = frame;
  requests.handTo(request, neighbour);
  request.tries += 1;
  return true;
}

function requestLeft(
  requests: RequestTable,
  vm: VmRecord | undefined,
  { request, nowMs, fault, tried }: Extract<RequestTransition, { kind: 'request-left' }>,
  clock: RuleClock,
): VmChange | undefined {
  if (request.place === undefined) return undefined;
  requests.take(request);
  if (tried === 'unsent') request.tries -= 1;
  if (tried === 'orphaned') requests.mayBeOrphaned(request);
  if (vm === undefined) return 'nothing';
  vm.left();
  if (vm.inFlight === 0) vm.idleMs = clock.at(nowMs);
  const faults = fault === undefined ? vm.faults : fault ? vm.faults + 1 : 0;
  if (faults === vm.faults) return 'load';
  vm.faults = faults;
  return 'record';
}
