import type { Plan } from '../plan.ts';

/** R1: the minimum runs, waiting for no request. Starting and ready VMs count; draining, stopping and dead ones do not. */
export function restoreMinimum(plan: Plan): void {
  const { host, params } = plan.fleet;
  if (host.reach !== 'up') return;
  for (let running = plan.ready + plan.starting; running < params.minVmCount; running++) {
    if (!plan.start('R1', { running, min_vm_count: params.minVmCount })) return;
  }
}
