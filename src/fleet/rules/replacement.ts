import type { Plan } from '../plan.ts';
import type { VmId } from '../vm.ts';
import type { Vm } from '../vm-record.ts';

/**
 * A restart that an administrator asked for: one VM of a host at a time, and a new one is ready before the old one is drained. Where
 * nothing can be started the old one is drained first, once nothing else is on its way.
 */
export function replaceAsked(plan: Plan): void {
  for (const host of plan.fleet.hosts) {
    if (host.downMs !== undefined) continue;
    const { ready, starting } = plan.census(host.name);
    const old = ready.find((vm) => vm.replace);
    if (old === undefined) continue;
    const figures = { vm: old.id, ready: ready.length, starting: starting.length };
    const instead = replacementOf(old.id, [...ready, ...starting]);
    const waits = starting.length > 0 || plan.startedOn(host.name) > 0;
    if (instead === undefined && plan.start('command', host, figures, old.id)) continue;
    if (instead?.state === 'ready' || (instead === undefined && !waits)) {
      plan.drain({ rule: 'command', vm: old.id, why: 'restart', ejected: false, figures });
    }
  }
}

function replacementOf(old: VmId, vms: readonly Vm[]): Vm | undefined {
  return vms.find((vm) => vm.replaces === old);
}
