import type { Fleet } from '../../state/fleet.ts';
import type { Vm } from '../../state/vm.ts';
import type { VmId } from '../../values/vm-id.ts';
import type { Plan } from '../plan.ts';

/**
 * A restart that an administrator asked for: one VM at a time, and a new one is ready before the old one is drained. Where no address is
 * free or no memory, the old one is drained first, once nothing else is on its way, and never while new VMs fail: a restart to an image
 * that does not run must not take down the VMs that do.
 */
export function replaceAsked(plan: Plan): void {
  const { fleet } = plan;
  if (fleet.group('replaced').size === 0 || fleet.host.reach !== 'up') return;
  const asked = [...fleet.group('replaced')].filter((vm) => !plan.isLeaving(vm.id)).sort((a, b) => a.id - b.id);
  for (const old of asked) if (!replace(plan, old)) return;
}

/** @returns whether that is done, so that the next one may follow */
function replace(plan: Plan, old: Vm): boolean {
  const figures = { vm: old.id, ready: plan.ready, starting: plan.starting };
  const instead = replacementOf(old.id, plan.fleet);
  if (instead === undefined && plan.start('command', figures, old.id)) return false;
  const waits = plan.fleet.host.failures > 0 || isOneLeaving(plan) || plan.starting > 0;
  const isReady = instead?.state === 'ready';
  if (isReady || (instead === undefined && !waits)) {
    plan.drain({ rule: 'command', vm: old.id, why: 'restart', ejected: false, figures });
  }
  return isReady;
}

/** Whether an address is about to be free. */
function isOneLeaving({ fleet, hasLeaving }: Plan): boolean {
  return hasLeaving || fleet.group('draining').size > 0 || fleet.group('stopping').size > 0 || fleet.releasing.size > 0;
}

function replacementOf(old: VmId, fleet: Fleet): Vm | undefined {
  for (const name of ['starting', 'ready'] as const) {
    for (const vm of fleet.group(name)) if (vm.replaces === old) return vm;
  }
  return undefined;
}
