import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { parsePool } from '../fleet/mod.ts';
import type { Found } from '../hypervisor/mod.ts';
import { openMemoryStore, paramsOf } from '../store/mod.ts';
import { CleanUp } from './clean-up.ts';
import { DataDir } from './data-dir.ts';
import { addAddresses, openTables, type PoolOptions, poolOf, reconcile, reservationsOf } from './tables.ts';

const options = (pool?: string): PoolOptions => ({
  host: 'h',
  ...(pool === undefined ? {} : { pool: parsePool(pool) }),
});
const running = (vm: number, id: number, ip: string): Found =>
  // Only the VM and its address are looked at.
  ({ kind: 'running', manifest: { spec: { vm, address: { id, ip, port: 9000 } } } }) as Found;

test('tables made anew give a VM that runs the address and the id of its manifest, and the pool around it', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await reconcile(store, [running(9, 3, '127.1.1.2')], options('127.1.1.1-127.1.1.2:9000'));
  expect(reservationsOf(store)).toMatchObject([{ vm: 9, address: { id: 3, ip: '127.1.1.2' } }]);
  expect(
    poolOf(store)
      .map(({ ip }) => ip)
      .sort(),
  ).toEqual(['127.1.1.1', '127.1.1.2']);
  expect(store.nextVmId()).toBeGreaterThan(9);
});

test('what the tables hold stays held until the router has heard from the host, unless a VM that runs contradicts it', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await reconcile(store, [], options('127.1.1.1-127.1.1.4:9000'));
  for (const id of [1, 2, 3]) await store.reserve(id, id, 0);
  // As after a copy of older tables was put back: VM 3 runs where the tables have VM 1, VM 9 where they have nobody.
  await reconcile(store, [running(3, 1, '127.1.1.1'), running(9, 4, '127.1.1.4')], options());
  expect(reservationsOf(store).map(({ vm, address }) => [vm, address.id])).toEqual([
    [3, 1],
    [2, 2],
    [9, 4],
  ]);
});

test('an address whose VM may still run is not given to another that was found there', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await reconcile(store, [], options('127.1.1.1:9000'));
  await store.reserve(1, 7, 0);
  const unknown: Found = { kind: 'unknown', directory: '/run/7', vm: 7, why: 'its monitor does not answer' };
  const reconciled = reconcile(store, [unknown, running(8, 1, '127.1.1.1')], options());
  await expect(reconciled).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
  expect(reservationsOf(store)).toMatchObject([{ vm: 7 }]);
});

test('another pool replaces the one of the last time; an address that is held goes with its VM', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await reconcile(store, [], options('127.1.1.1-127.1.1.2:9000'));
  await store.reserve(2, 7, 0);
  await reconcile(store, [running(7, 2, '127.1.1.2')], options('127.2.2.1:9000'));
  expect(poolOf(store).map(({ ip }) => ip)).toEqual(['127.2.2.1']);
  expect(reservationsOf(store)).toMatchObject([{ vm: 7, address: { ip: '127.1.1.2' } }]);
  await store.releaseVm(7);
  expect(store.snapshot().ip_pool.map(({ ip }) => ip)).toEqual(['127.2.2.1']);
});

test('an address that is about to go is in the pool again once it is added', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  await reconcile(store, [], options('127.1.1.1:9000'));
  await store.reserve(1, 7, 0);
  await reconcile(store, [running(7, 1, '127.1.1.1')], options('127.2.2.1:9000'));
  expect(await addAddresses(store, parsePool('127.1.1.1:9000'), 'h')).toBe(1);
  expect(
    poolOf(store)
      .map(({ ip }) => ip)
      .sort(),
  ).toEqual(['127.1.1.1', '127.2.2.1']);
});

test('the first start writes the four mandatory parameters; what is set later stays set', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-tables-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const open = async (params: Record<string, string>) => {
    const cleanUp = new CleanUp();
    const data = await DataDir.open(directory);
    cleanUp.add(() => data.close());
    const store = await openTables({ rebuild: false, params, onProgress: () => undefined }, data, cleanUp);
    const { system_params } = store.snapshot();
    const { minVmCount } = paramsOf(store.snapshot());
    await cleanUp.run();
    return { rows: Object.fromEntries(system_params.map(({ key, value }) => [key, value])), minVmCount };
  };
  const defaults = { free_count: 5, min_vm_count: 1, last_connect_ms: 5_000, ip_reserve_ms: 15_000 };
  expect((await open({})).rows).toEqual(defaults);
  expect((await open({ min_vm_count: '3', stuck_ms: '7' })).rows).toEqual({
    ...defaults,
    min_vm_count: 3,
    stuck_ms: 7,
  });
  expect((await open({})).minVmCount).toBe(3);
});
