import type { Vm } from '../state/vm.ts';
import type { Params } from '../values/params.ts';

/**
 * Whether a VM that drains has finished. Work past its deadline has been answered: once `stuck_ms` have gone by as well, a VM that does not
 * heed the cancel is not waited for.
 */
export function hasFinished(vm: Vm, { stuckMs }: Params, nowMs: number): boolean {
  return vm.inFlight === 0 || nowMs >= lastDeadlineMs(vm) + stuckMs;
}

function lastDeadlineMs(vm: Vm): number {
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const request of vm.requests) lastMs = Math.max(lastMs, request.deadlineMs);
  return lastMs;
}
