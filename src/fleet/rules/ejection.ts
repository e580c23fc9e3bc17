import type { Plan } from '../plan.ts';
import type { Vm } from '../vm-record.ts';

/** Link errors and 5xx in a row after which a VM is ejected: one may be the request's fault, two bad luck. */
const FAULTS = 3;

/**
 * R2: a VM whose last replies were link errors or 5xx, or whose link stays down, is drained and replaced, at most half of the fleet at a
 * time: if all fail, the image or the clients are at fault, and no VM would be left to serve what still works.
 */
export function ejectFailing(plan: Plan): void {
  const failing: { vm: Vm; linkDownMs: number }[] = [];
  let ejected = 0;
  let fleet = 0;
  for (const vm of plan.fleet.vms) {
    if (vm.ejected) ejected += 1;
    if (vm.ejected || vm.state === 'ready') fleet += 1;
    if (vm.state !== 'ready' || plan.isLeaving(vm.id)) continue;
    const linkDownMs = vm.linkDownMs === undefined ? 0 : Math.round(plan.nowMs - vm.linkDownMs);
    if (vm.faults >= FAULTS || linkDownMs >= plan.fleet.params.lastConnectMs) failing.push({ vm, linkDownMs });
  }
  const most = Math.max(1, Math.floor(fleet / 2));
  for (const { vm, linkDownMs } of failing.slice(0, Math.max(0, most - ejected))) {
    const figures = { faults: vm.faults, link_down_ms: linkDownMs, ejected_max: most };
    const why = vm.faults >= FAULTS ? `${vm.faults} failures in a row` : `its link is down for ${linkDownMs} ms`;
    plan.drain({ rule: 'R2', vm: vm.id, why, ejected: true, figures });
    // Where nothing can be started R1 and R3 make good later.
    plan.start('R2', plan.fleet.host(vm.host), { ...figures, instead_of: vm.id });
  }
}
