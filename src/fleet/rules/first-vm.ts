import type { Plan } from '../plan.ts';

/** R1: on each host the minimum runs, waiting for no request. Starting and ready VMs count; draining, stopping and dead ones do not. */
export function restoreMinimum(plan: Plan): void {
  const { minVmCount } = plan.fleet.params;
  for (const host of plan.fleet.hosts) {
    if (host.downMs !== undefined) continue;
    const { ready, starting } = plan.census(host.name);
    const sure = ready.length + starting.length + plan.startedOn(host.name);
    for (let running = sure; running < minVmCount; running++) {
      if (!plan.start('R1', host, { running, min_vm_count: minVmCount })) break;
    }
  }
}
