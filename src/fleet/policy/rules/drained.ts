import { finishedGrounds, hasFinished } from '../finished.ts';
import type { Plan } from '../plan.ts';

/** R5: a drained VM goes when it has finished. */
export function endDrained(plan: Plan): void {
  for (const vm of plan.fleet.group('draining')) {
    if (!hasFinished(vm, plan.fleet.params, plan.nowMs)) continue;
    const end = { reason: vm.reason ?? 'drained', why: vm.why ?? 'drained' } as const;
    plan.stop({ rule: 'R5', vm: vm.id, ...end, fault: undefined, ...finishedGrounds(vm) });
  }
}
