import type { Fleet } from '../state/fleet.ts';
import type { Vm } from '../state/vm.ts';

/**
 * R5: whether a VM that is drained may go. Work past its deadline has been answered: once `stuck_ms` have gone by as well, a VM that
 * does not heed the cancel is not waited for.
 */
export function hasFinished(fleet: Fleet, vm: Vm, nowMs: number): boolean {
  if (vm.inFlight === 0) return true;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const request of vm.requests) lastMs = Math.max(lastMs, request.deadlineMs);
  return nowMs >= lastMs + fleet.params.stuckMs;
}
