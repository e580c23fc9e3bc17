import type { Vm } from '../../state/vm.ts';
import type { Considered } from '../../values/considered.ts';
import { FAULTS_MAX } from '../../values/params.ts';
import { firstOf } from '../considered.ts';
import type { Plan } from '../plan.ts';

/**
 * R2: a VM whose last replies were link errors, 502 or 504, or whose link stays down, is drained and replaced. At most half of the fleet is
 * ejected or being replaced at a time: if all fail, the image or the clients are at fault, and no VM would be left for what still works.
 */
export function ejectFailing(plan: Plan): void {
  const { fleet } = plan;
  if (fleet.group('failing').size === 0) return;
  const failing = [...fleet.group('failing')].filter((vm) => !plan.isLeaving(vm.id) && isFailing(plan, vm));
  const leaving = fleet.group('ejected').size;
  const most = Math.max(1, Math.floor((plan.ready + plan.starting + leaving) / 2));
  const left = Math.max(0, most - leaving - plan.starting);
  failing.sort((a, b) => a.id - b.id);
  if (failing.length === 0 || left === 0) return;
  const considered = spared(plan, failing.slice(left), most);
  for (const vm of failing.slice(0, left)) eject(plan, vm, most, considered);
}

/** VMs that fail, or may be about to, and stay. */
function spared(plan: Plan, failing: readonly Vm[], most: number): readonly Considered[] {
  const limitMs = plan.fleet.params.lastConnectMs;
  const notYet = [...plan.fleet.group('failing')].filter((vm) => !plan.isLeaving(vm.id) && !isFailing(plan, vm));
  const whyOf = (vm: Vm): string =>
    isFailing(plan, vm)
      ? `it fails as well, and at most ${most} VMs are ejected at a time`
      : `its link is down for ${linkDownMs(plan, vm)} ms, and last_connect_ms is ${limitMs}`;
  const none = { what: 'another VM', why: 'no other fails' };
  return firstOf([...failing, ...notYet], (vm) => ({ what: `VM ${vm.id}`, why: whyOf(vm) }), none);
}

function eject(plan: Plan, vm: Vm, most: number, considered: readonly Considered[]): void {
  const downMs = linkDownMs(plan, vm);
  const figures = { faults: vm.faults, link_down_ms: downMs, ejected_max: most };
  const why = vm.faults >= FAULTS_MAX ? `${vm.faults} failures in a row` : `its link is down for ${downMs} ms`;
  plan.drain({ rule: 'R2', vm: vm.id, reason: 'failing', why, ejected: true, figures, considered });
  // Where nothing can be started R1 and R3 make good later.
  plan.start('R2', { ...figures, instead_of: vm.id });
}

function isFailing(plan: Plan, vm: Vm): boolean {
  return vm.faults >= FAULTS_MAX || linkDownMs(plan, vm) >= plan.fleet.params.lastConnectMs;
}

function linkDownMs(plan: Plan, vm: Vm): number {
  return vm.linkDownMs === undefined ? 0 : Math.round(plan.ruleMs - vm.linkDownMs);
}
