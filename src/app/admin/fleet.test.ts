import { expect, onTestFinished, test } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import type { RouterMessage } from '../../fleet/mod.ts';
import { openMemoryStore } from '../../store/mod.ts';
import type { AdminDeps } from './deps.ts';
import { fleetHandlers } from './fleet.ts';

/** The verbs about a pool of two addresses, of which a VM holds the second by the tables alone. */
async function opened() {
  const kit = testKit();
  onTestFinished(() => kit.shutdown());
  const store = await openMemoryStore({ clock: systemClock });
  onTestFinished(() => store.close());
  await store.addAddresses([1, 2].map((id) => ({ id_ip: id, ip: `127.1.1.${id}`, port: 9000, host: 'h' })));
  await store.reserve(2, 7, 0);
  const told: RouterMessage['kind'][] = [];
  let isOut = true;
  const router = kit.system.spawn<RouterMessage>(() => (message) => {
    told.push(message.kind);
    if (message.kind === 'remove-address') message.replyTo.tell(isOut);
  });
  // The verbs use no other port.
  const deps = { system: kit.system, router, store, options: { host: 'h' } } as unknown as AdminDeps;
  const verbs = fleetHandlers(deps);
  return { kit, store, told, remove: (id: number) => verbs['ip-rm']?.({ id }), holds: () => (isOut = false) };
}

test('an address that the router gives up is removed', async () => {
  const { store, remove } = await opened();
  expect(await remove(1)).toEqual({ removed: 1 });
  expect(store.snapshot().ip_pool.map(({ id_ip }) => id_ip)).toEqual([2]);
});

test('an address that is not there is named, and the router is asked for nothing', async () => {
  const { remove, told } = await opened();
  await expect(remove(9)).rejects.toMatchObject({ code: 'CONFIG_VALUE', message: expect.stringContaining('id 9') });
  expect(told).toEqual([]);
});

test('an address that a VM holds stays', async () => {
  const { store, remove, holds } = await opened();
  holds();
  await expect(remove(2)).rejects.toMatchObject({ code: 'STORE_CONFLICT', message: expect.stringContaining('VM 7') });
  expect(store.snapshot().ip_pool).toHaveLength(2);
});

test('an address that the tables do not give up goes back to the router', async () => {
  const { kit, remove, told } = await opened();
  await expect(remove(2)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
  await kit.settle();
  expect(told).toEqual(['remove-address', 'add-addresses']);
});
