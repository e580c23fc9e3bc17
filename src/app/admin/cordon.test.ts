import { expect, onTestFinished, test } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import { ShoalError, toEnvelope } from '../../errors.ts';
import type { FleetSnapshot, RouterMessage } from '../../fleet/mod.ts';
import { openMemoryStore } from '../../store/mod.ts';
import { Settings } from '../settings.ts';
import { VmHold } from '../vm-hold.ts';
import { cordonHandlers } from './cordon.ts';
import type { AdminDeps } from './deps.ts';

/** The verbs of a host with the VMs 1 to 4, of which 2 goes while it is looked at, and 3 takes no requests. */
async function opened(hold = new VmHold(false)) {
  const kit = testKit();
  onTestFinished(() => kit.shutdown());
  const store = await openMemoryStore({ clock: systemClock });
  onTestFinished(() => store.close());
  await store.setParams({ min_vm_count: 3, spare_vm_count: 1 });
  const told: unknown[] = [];
  const router = kit.system.spawn<RouterMessage>(() => (message) => {
    switch (message.kind) {
      case 'cordon':
        told.push(message.on ? 'cordon' : 'uncordon');
        message.replyTo.tell(true);
        return;
      case 'params':
        told.push([message.params.minVmCount, message.params.spareVmCount]);
        return;
      case 'snapshot':
        // The verb reads no other field.
        message.replyTo.tell({ vms: [1, 2, 3, 4].map((id) => ({ id_vmachine: id })) } as unknown as FleetSnapshot);
        return;
      case 'drain-vm': {
        told.push(message.vm);
        const code = ({ 2: 'VM_UNKNOWN', 3: 'VM_STATE' } as const)[message.vm];
        message.replyTo.tell(
          code === undefined
            ? { ok: true, vms: [message.vm], params: settings.params }
            : { ok: false, error: toEnvelope(new ShoalError(code, 'it cannot be drained')) },
        );
        return;
      }
    }
  });
  const other = { path: 'other', tell: () => true };
  const settings = new Settings(store, router, other, other, hold);
  // The verbs use no other port.
  const deps = { system: kit.system, router, settings } as unknown as AdminDeps;
  const verbs = cordonHandlers(deps);
  const call = async (verb: string, args = {}) => {
    const reply = await verbs[verb]?.(args);
    await kit.settle();
    return reply;
  };
  return { told, settings, call };
}

test('a host is drained: first requests stay away, then no VMs are kept running, then each VM drains that takes requests', async () => {
  const { told, settings, call } = await opened();
  expect(await call('drain-host')).toEqual({ vms: [1, 4] });
  expect(told).toEqual(['cordon', [0, 0], 1, 2, 3, 4]);
  // A change of parameters meanwhile brings no VMs back, and counts later.
  await settings.set({ min_vm_count: 2 });
  await call('cordon', { on: false });
  expect(told.slice(6)).toEqual([[0, 0], 'uncordon', [2, 1]]);
});

test('a cordon leaves the VMs alone', async () => {
  const { told, call } = await opened();
  expect(await call('cordon', { on: true })).toEqual({ cordoned: true });
  expect(told).toEqual(['cordon']);
});

test('a host that has no VMs for good has none after an uncordon either', async () => {
  const { told, call } = await opened(new VmHold(true));
  await call('cordon', { on: false });
  expect(told).toEqual(['uncordon', [0, 0]]);
});
