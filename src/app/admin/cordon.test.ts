import { expect, onTestFinished, test } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import type { RouterMessage } from '../../fleet/mod.ts';
import { openMemoryStore } from '../../store/mod.ts';
import { Settings } from '../settings.ts';
import { VmHold } from '../vm-hold.ts';
import { cordonHandlers } from './cordon.ts';
import type { AdminDeps } from './deps.ts';

/** The verbs of a host with one VM. */
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
      case 'drain-vms':
        told.push('drain');
        message.replyTo.tell({ ok: true, vms: [1], params: settings.params });
        return;
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

test('a host is drained: first requests stay away, then no VMs are kept running, then the VMs drain', async () => {
  const { told, settings, call } = await opened();
  expect(await call('drain-host')).toEqual({ vms: [1] });
  expect(told).toEqual(['cordon', [0, 0], 'drain']);
  // A change of parameters meanwhile brings no VMs back, and counts later.
  await settings.set({ min_vm_count: 2 });
  await call('cordon', { on: false });
  expect(told.slice(3)).toEqual([[0, 0], 'uncordon', [2, 1]]);
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
