import type { Vm } from '../../state/vm.ts';
import type { Considered } from '../../values/considered.ts';
import type { VmId, WantedEnd } from '../../values/vm-id.ts';
import { failuresInARow } from '../back-off.ts';
import type { Plan } from '../plan.ts';

/** Longer than the longest back-off. */
const FAILING_MS = 60_000;

/**
 * A restart that an administrator asked for: one VM at a time, the oldest first, and a new one is ready before the old one is drained. Where
 * no address is free or no memory, the old one is drained first, once nothing else is on its way, and never while new VMs fail: a restart to
 * an image that does not run must not take down the VMs that do.
 */
export function replaceAsked(plan: Plan): void {
  const { fleet } = plan;
  if (fleet.group('replaced').size === 0 || fleet.host.reach !== 'up') return;
  const asked = [...fleet.group('replaced')].filter((vm) => !plan.isLeaving(vm.id)).sort((a, b) => a.id - b.id);
  for (const old of asked) if (!replace(plan, old)) return;
}

/** Why an old VM goes. */
const RESTARTED = { reason: 'restarted', why: 'restart' } as const;

/**
 * Starts a VM in the place of an old one, or drains the old one once that is ready.
 * @param isBold the old one goes although new VMs fail: it may be what fails
 * @returns whether the old VM is drained, so that it is the next one's turn
 */
export function replace(plan: Plan, old: Vm, end: WantedEnd = RESTARTED, isBold = false): boolean {
  const figures = { vm: old.id, ready: plan.ready, starting: plan.starting };
  const instead = replacementOf(old.id, plan);
  if (instead === undefined && plan.start('command', figures, old.id)) return false;
  const waits = (!isBold && isFailing(plan)) || isOneLeaving(plan) || plan.starting > 0 || !plan.isFull;
  if (instead === undefined ? waits : instead.state !== 'ready') return false;
  const considered = [insteadOf(instead)];
  plan.drain({ rule: 'command', vm: old.id, ...end, considered, ejected: false, figures });
  return true;
}

/** What takes the place of the old VM. */
function insteadOf(instead: Vm | undefined): Considered {
  const what = 'keeping it until a new VM is ready';
  return { what, why: instead === undefined ? 'none can be started before it goes' : `VM ${instead.id} is ready` };
}

/** New VMs fail: it may be the image. A failure of long ago says nothing, or a restart without an address would never go on. */
function isFailing({ fleet, nowMs }: Plan): boolean {
  return failuresInARow(fleet.host) > 0 && nowMs - fleet.host.failedMs < FAILING_MS;
}

/** Whether an address is about to be free. */
export function isOneLeaving({ fleet, leaving }: Plan): boolean {
  return leaving + fleet.group('draining').size + fleet.group('stopping').size + fleet.releasing.size > 0;
}

/** The VM that is to take its place, unless it leaves itself. */
export function replacementOf(old: VmId, plan: Plan): Vm | undefined {
  for (const name of ['starting', 'ready'] as const) {
    for (const vm of plan.fleet.group(name)) if (vm.replaces === old && !plan.isLeaving(vm.id)) return vm;
  }
  return undefined;
}
