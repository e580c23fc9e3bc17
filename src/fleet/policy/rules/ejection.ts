import type { Vm } from '../../state/vm.ts';
import { FAULTS_MAX } from '../../values/params.ts';
import type { Plan } from '../plan.ts';

/**
 * R2: a VM whose last replies were link errors or 5xx, or whose link stays down, is drained and replaced. At most half of the fleet is
 * ejected or being replaced at a time: if all fail, the image or the clients are at fault, and no VM would be left for what still works.
 */
export function ejectFailing(plan: Plan): void {
  const { fleet } = plan;
  if (fleet.group('failing').size === 0) return;
  const failing = [...fleet.group('failing')].filter((vm) => !plan.isLeaving(vm.id) && isFailing(plan, vm));
  const leaving = fleet.group('ejected').size;
  const most = Math.max(1, Math.floor((plan.ready + plan.starting + leaving) / 2));
  const left = most - leaving - plan.starting;
  for (const vm of failing.sort((a, b) => a.id - b.id).slice(0, Math.max(0, left))) eject(plan, vm, most);
}

function eject(plan: Plan, vm: Vm, most: number): void {
  const downMs = linkDownMs(plan, vm);
  const figures = { faults: vm.faults, link_down_ms: downMs, ejected_max: most };
  const why = vm.faults >= FAULTS_MAX ? `${vm.faults} failures in a row` : `its link is down for ${downMs} ms`;
  plan.drain({ rule: 'R2', vm: vm.id, reason: 'failing', why, ejected: true, figures });
  // Where nothing can be started R1 and R3 make good later.
  plan.start('R2', { ...figures, instead_of: vm.id });
}

function isFailing(plan: Plan, vm: Vm): boolean {
  return vm.faults >= FAULTS_MAX || linkDownMs(plan, vm) >= plan.fleet.params.lastConnectMs;
}

function linkDownMs(plan: Plan, vm: Vm): number {
  return vm.linkDownMs === undefined ? 0 : Math.round(plan.ruleMs - vm.linkDownMs);
}
