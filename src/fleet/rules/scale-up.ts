import type { Plan } from '../plan.ts';

/** R3: while more requests wait than the VMs now starting will take. */
export function scaleUp(plan: Plan): void {
  const { waiting, params } = plan.fleet;
  for (;;) {
    const toCome = plan.starting * params.vmRequestsMax;
    if (waiting <= toCome || !plan.start('R3', undefined, { waiting, capacity_to_come: toCome })) return;
  }
}
