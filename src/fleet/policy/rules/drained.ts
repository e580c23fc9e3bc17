import type { Vm } from '../../state/vm.ts';
import type { Plan } from '../plan.ts';

/**
 * R5: a drained VM goes when it has finished. Work past its deadline has been answered: once `stuck_ms` have gone by as well, a VM that
 * does not heed the cancel is not waited for.
 */
export function endDrained(plan: Plan): void {
  const { stuckMs } = plan.fleet.params;
  for (const vm of plan.fleet.group('draining')) {
    if (vm.inFlight > 0 && plan.nowMs < lastDeadlineMs(vm) + stuckMs) continue;
    const figures = { in_flight: vm.inFlight, free_count: vm.freeCount };
    plan.stop({ rule: 'R5', vm: vm.id, why: vm.why ?? 'drained', fault: undefined, figures });
  }
}

function lastDeadlineMs(vm: Vm): number {
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const request of vm.requests) lastMs = Math.max(lastMs, request.deadlineMs);
  return lastMs;
}
