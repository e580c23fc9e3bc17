import type { Vm } from '../state/vm.ts';
import type { Grounds } from '../values/grounds.ts';
import type { Params } from '../values/params.ts';

/**
 * Whether a VM that drains has finished. Work past its deadline has been answered: once `stuck_ms` have gone by as well, a VM that does not
 * heed the cancel is not waited for.
 */
export function hasFinished(vm: Vm, { stuckMs }: Params, nowMs: number): boolean {
  return vm.inFlight === 0 || nowMs >= lastDeadlineMs(vm) + stuckMs;
}

/** What the stop of a VM that has finished is decided on (R5). */
export function finishedGrounds({ inFlight, freeCount }: Vm): Required<Pick<Grounds, 'figures' | 'considered'>> {
  const why = inFlight === 0 ? 'it has none' : `it has ${inFlight}, past their deadline by more than stuck_ms`;
  return {
    figures: { in_flight: inFlight, free_count: freeCount },
    considered: [{ what: 'waiting for its requests', why }],
  };
}

function lastDeadlineMs(vm: Vm): number {
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const request of vm.requests) lastMs = Math.max(lastMs, request.deadlineMs);
  return lastMs;
}
