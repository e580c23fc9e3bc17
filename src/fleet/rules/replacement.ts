import type { Plan } from '../plan.ts';
import type { VmId } from '../vm.ts';
import type { Vm } from '../vm-record.ts';

/**
 * A restart that an administrator asked for: one VM of a host at a time, and a new one is ready before the old one is drained. Where
 * no address is free or no memory the old one is drained first, once nothing else is on its way, and never while new VMs fail: a restart to an
 * image that does not run must not take down what does.
 */
export function replaceAsked(plan: Plan): void {
  for (const host of plan.fleet.hosts) {
    if (host.downMs !== undefined) continue;
    const { ready, starting, spares, total } = plan.census(host.name);
    const old = ready.find((vm) => vm.replace);
    if (old === undefined) continue;
    const figures = { vm: old.id, ready: ready.length, starting: starting.length };
    const instead = replacementOf(old.id, [...ready, ...starting]);
    const isLeaving = total > ready.length + starting.length + spares.length || isReleasing(plan);
    const isComing = starting.length > 0 || plan.startedOn(host.name) > 0;
    const waits = host.failures > 0 || isLeaving || isComing;
    if (instead === undefined && plan.start('command', host, figures, old.id)) continue;
    if (instead?.state === 'ready' || (instead === undefined && !waits)) {
      plan.drain({ rule: 'command', vm: old.id, why: 'restart', ejected: false, figures });
    }
  }
}

/** Whether an address is about to be free: its VM is gone, and that is not durable yet. */
function isReleasing({ fleet }: Plan): boolean {
  return fleet.pool.some((entry) => entry.vm !== undefined && fleet.vm(entry.vm) === undefined);
}

function replacementOf(old: VmId, vms: readonly Vm[]): Vm | undefined {
  return vms.find((vm) => vm.replaces === old);
}
