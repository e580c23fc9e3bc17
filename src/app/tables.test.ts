import { expect, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { parsePool } from '../fleet/mod.ts';
import type { Found } from '../hypervisor/mod.ts';
import { openMemoryStore } from '../store/mod.ts';
import { poolOf, reservationsOf, squareWithReality } from './tables.ts';
import type { UpOptions } from './up-options.ts';

// Only pool and host are looked at here.
const options = (pool?: string): UpOptions =>
  ({ host: 'h', ...(pool === undefined ? {} : { pool: parsePool(pool) }) }) as UpOptions;
const running = (vm: number, id: number, ip: string): Found =>
  // Only the VM and its address are looked at.
  ({ kind: 'running', manifest: { spec: { vm, address: { id, ip, port: 9000 } } } }) as Found;

test('tables made anew give a VM that runs the address and the id of its manifest, and the pool around it', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await squareWithReality(store, [running(9, 3, '127.1.1.2')], options('127.1.1.1-127.1.1.2:9000'));
  expect(reservationsOf(store)).toMatchObject([{ id: 9, address: { id: 3, ip: '127.1.1.2' } }]);
  expect(
    poolOf(store)
      .map(({ ip }) => ip)
      .sort(),
  ).toEqual(['127.1.1.1', '127.1.1.2']);
  expect(store.nextVmId()).toBeGreaterThan(9);
});

test('an address whose VM is gone is free; one that cannot be identified is not', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await squareWithReality(store, [], options('127.1.1.1-127.1.1.3:9000'));
  for (const id of [1, 2]) await store.reserve(id, id, 0);
  const unknown: Found = { kind: 'unknown', directory: '/run/x/2', vm: 2, why: 'it says nothing' };
  await squareWithReality(store, [unknown], options());
  expect(reservationsOf(store)).toMatchObject([{ id: 2, address: { id: 2 } }]);
});

test('another pool replaces the one of the last time, except for what is held', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await squareWithReality(store, [], options('127.1.1.1-127.1.1.2:9000'));
  await store.reserve(2, 7, 0);
  await squareWithReality(store, [running(7, 2, '127.1.1.2')], options('127.2.2.1:9000'));
  expect(poolOf(store).map(({ ip }) => ip)).toEqual(['127.1.1.2', '127.2.2.1']);
});
