import type { Plan } from '../plan.ts';
import type { Vm } from '../vm-record.ts';
import type { Work } from '../work.ts';

/** R5: surplus VMs go, longest idle first, while those of their host that stay ready are at the minimum or more. */
export function scaleDown(plan: Plan): void {
  const { freeCount, minVmCount } = plan.fleet.params;
  for (const host of plan.fleet.hosts) {
    const { ready } = plan.census(host.name);
    const surplus = ready.filter((vm) => isSurplus(vm, freeCount)).sort(longestIdleFirst);
    for (const [gone, vm] of surplus.slice(0, Math.max(0, ready.length - minVmCount)).entries()) {
      const figures = { free_count: vm.freeCount, ready: ready.length - gone, min_vm_count: minVmCount };
      plan.drain({ rule: 'R5', vm: vm.id, why: 'idle', ejected: false, figures });
    }
  }
}

/**
 * A drained VM goes when it has finished. Work past its deadline has been answered: once `stuck_ms` have gone by as well, a VM
 * that does not heed the cancel is not waited for.
 */
export function endDrained(plan: Plan, work: Work): void {
  const { stuckMs } = plan.fleet.params;
  for (const vm of plan.fleet.vms) {
    if (vm.state !== 'draining') continue;
    const lastMs = vm.inFlight === 0 ? undefined : work.lastDeadlineMs(vm.id);
    if (vm.inFlight > 0 && (lastMs === undefined || plan.nowMs < lastMs + stuckMs)) continue;
    const figures = { in_flight: vm.inFlight, free_count: vm.freeCount };
    plan.stop({ rule: 'R5', vm: vm.id, why: vm.why ?? 'drained', verdict: undefined, figures });
  }
}

/** One that took a request since its last report is not idle, whatever that report said. */
function isSurplus(vm: Vm, freeCount: number): boolean {
  return vm.freeCount >= freeCount && vm.inFlight === 0 && !vm.dispatchedSinceReport;
}

/** Of equals the youngest goes: R2 prefers the oldest. */
function longestIdleFirst(a: Vm, b: Vm): number {
  return b.freeCount - a.freeCount || b.id - a.id;
}
