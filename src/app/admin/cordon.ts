import type { Ref } from '../../actors/mod.ts';
import { codeOf } from '../../errors.ts';
import type { RouterMessage } from '../../fleet/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { Arguments } from './arguments.ts';
import { type AdminDeps, ASK_TIMEOUT_MS, command, snapshotOf } from './deps.ts';

/** Verbs that keep requests away from this host. They last until the next start of this Shoal, whatever part of it fails. */
export function cordonHandlers(deps: AdminDeps): Readonly<Record<string, AdminHandler>> {
  return {
    cordon: async (args) => {
      const on = new Arguments(args).flag('on');
      await cordon(deps, on);
      if (!on) deps.settings.holdVms(false);
      return { cordoned: on };
    },
    'drain-host': async () => {
      await cordon(deps, true);
      // Otherwise new VMs would take the place of those that are drained.
      deps.settings.holdVms(true);
      const { vms } = await snapshotOf(deps);
      const drained: number[] = [];
      for (const { id_vmachine: vm } of vms) {
        const reply = await command(deps, (replyTo) => ({ kind: 'drain-vm', vm, replyTo })).catch((error: unknown) => {
          // It has gone meanwhile, or takes no requests: a spare and a VM that is ending go by themselves, and one that is starting is surplus.
          if (codeOf(error) === 'VM_UNKNOWN' || codeOf(error) === 'VM_STATE') return { vms: [] };
          throw error;
        });
        drained.push(...reply.vms);
      }
      return { vms: drained };
    },
  };
}

async function cordon({ system, router }: AdminDeps, on: boolean): Promise<void> {
  await system.ask(router, (replyTo: Ref<true>): RouterMessage => ({ kind: 'cordon', on, replyTo }), ASK_TIMEOUT_MS);
}
