import type { Plan } from '../plan.ts';

/** R3: spares are made when nobody waits, for a request comes before a reserve; those beyond the number give their address back. */
export function keepSpares(plan: Plan): void {
  const { spareVmCount } = plan.fleet.params;
  if (plan.fleet.waiting > 0 || plan.hasStarted) return;
  for (const host of plan.fleet.hosts) {
    if (host.downMs !== undefined) continue;
    const { spares } = plan.census(host.name);
    for (const vm of spares.slice(spareVmCount)) {
      const figures = { spares: spares.length, spare_vm_count: spareVmCount };
      plan.stop({ rule: 'R3', vm: vm.id, why: 'a spare too many', verdict: undefined, figures });
    }
    for (let count = spares.length; count < spareVmCount; count++) {
      if (!plan.prepare(host, { spares: count, spare_vm_count: spareVmCount })) break;
    }
  }
}
