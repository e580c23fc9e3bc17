import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ManualClock } from '../../actors/kit/mod.ts';
import type { Store } from '../port.ts';
import type { Tables } from '../rows.ts';
import { anyChange } from './any-change.ts';
import { AT_MS, durablePart, newAddress, newAddresses, vmRow } from './rows.ts';

/** One place where tables are kept, fresh for each test. */
export interface StoreUnderTest {
  readonly clock: ManualClock;
  /** Opens it; if it is open already, as after a crash of whoever had it. */
  open(): Promise<Store>;
  /** From now on every write fails, or none. */
  failWrites(fail: boolean): void;
  dispose(): Promise<void>;
}

/** What every store promises, whatever it keeps its tables in: run it on each. */
export function storeConformance(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  async function setUp(addressCount = 3): Promise<StoreUnderTest & { store: Store }> {
    const place = await makeStore();
    onTestFinished(() => place.dispose());
    const store = await place.open();
    if (addressCount > 0) await store.addAddresses(newAddresses(addressCount));
    return Object.assign(place, { store });
  }

  async function withVm(): Promise<StoreUnderTest & { store: Store; vm: number }> {
    const place = await setUp();
    const vm = place.store.nextVmId();
    await place.store.reserve(1, vm, AT_MS);
    await place.store.insertVm(vmRow(vm, 1));
    return Object.assign(place, { vm });
  }

  describe(`${name}: addresses`, () => {
    it('starts with nothing', async () => {
      const { store } = await setUp(0);
      expect(store.snapshot()).toEqual({ system_params: [], vmachine: [], ip_pool: [] });
    });

    it('adds what is not there yet, free, and keeps what is', async () => {
      const { store } = await setUp(2);
      await store.reserve(1, store.nextVmId(), AT_MS);
      expect(await store.addAddresses(newAddresses(3))).toBe(1);
      expect(store.snapshot().ip_pool).toEqual([
        { ...newAddress(1), reserve: true, last_reserve: AT_MS, vm: 1 },
        { ...newAddress(2), reserve: false, last_reserve: null, vm: null },
        { ...newAddress(3), reserve: false, last_reserve: null, vm: null },
      ]);
    });

    it('adds none if one of them does not fit', async () => {
      const { store } = await setUp(2);
      const before = store.snapshot();
      const otherPlace = { ...newAddress(2), port: 9001 };
      await expect(store.addAddresses([newAddress(3), otherPlace])).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      const otherId = { ...newAddress(2), id_ip: 4 };
      await expect(store.addAddresses([newAddress(3), otherId])).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      const twice = [newAddress(4), { ...newAddress(5), ip: newAddress(4).ip }];
      await expect(store.addAddresses(twice)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      expect(store.snapshot()).toEqual(before);
    });

    it('has the same address on two hosts, because each may use it for itself', async () => {
      const { store } = await setUp(1);
      expect(await store.addAddresses([{ ...newAddress(1), id_ip: 2, host: 'two' }])).toBe(1);
    });

    it('removes a free address, and none that is held', async () => {
      const { store } = await setUp(2);
      await store.reserve(1, store.nextVmId(), AT_MS);
      await expect(store.removeAddress(1)).rejects.toMatchObject({ code: 'STORE_CONFLICT', details: { holder: 1 } });
      expect(await store.removeAddress(2)).toBe(true);
      expect(await store.removeAddress(2)).toBe(false);
      expect(store.snapshot().ip_pool.map((row) => row.id_ip)).toEqual([1]);
    });
  });

  describe(`${name}: reservations`, () => {
    it('are there after a crash', async () => {
      const { store, open } = await setUp();
      await store.reserve(2, 7, AT_MS);
      const [, row] = (await open()).snapshot().ip_pool;
      expect(row).toEqual({ ...newAddress(2), reserve: true, last_reserve: AT_MS, vm: 7 });
    });

    it('are refused for an address that another VM holds, even in the same turn', async () => {
      const { store } = await setUp();
      const both = await Promise.allSettled([store.reserve(1, 1, AT_MS), store.reserve(1, 2, AT_MS + 1)]);
      expect(both).toMatchObject([
        { status: 'fulfilled' },
        { reason: { code: 'STORE_CONFLICT', details: { holder: 1 } } },
      ]);
      expect(store.snapshot().ip_pool[0]).toMatchObject({ vm: 1, last_reserve: AT_MS });
    });

    it('are refused for an unknown address and for a VM that holds another one', async () => {
      const { store } = await setUp();
      await expect(store.reserve(9, 1, AT_MS)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      await store.reserve(1, 1, AT_MS);
      await expect(store.reserve(2, 1, AT_MS)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
    });

    it('may be repeated by their VM, which changes nothing', async () => {
      const { store } = await setUp();
      await store.reserve(1, 1, AT_MS);
      await store.reserve(1, 1, AT_MS + 5);
      expect(store.snapshot().ip_pool[0]).toMatchObject({ vm: 1, last_reserve: AT_MS });
    });

    it('take effect in the order in which they were asked for', async () => {
      const { store } = await setUp();
      const outcomes = await Promise.allSettled([
        store.reserve(1, 1, AT_MS),
        store.releaseVm(1),
        store.reserve(1, 2, AT_MS + 1),
        store.reserve(1, 3, AT_MS + 2),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
      expect(store.snapshot().ip_pool[0]).toMatchObject({ vm: 2, last_reserve: AT_MS + 1 });
    });

    it('end only for the VM that was expected, and only without a row (R7)', async () => {
      const { store } = await setUp();
      await store.reserve(1, 1, AT_MS);
      expect(await store.releaseReservation(1, 2)).toBe(false);
      expect(await store.releaseReservation(2, 1)).toBe(false);
      expect(await store.releaseReservation(9, 1)).toBe(false);
      expect(await store.releaseReservation(1, 1)).toBe(true);
      expect(store.snapshot().ip_pool[0]).toEqual({ ...newAddress(1), reserve: false, last_reserve: AT_MS, vm: null });
      await store.reserve(1, 2, AT_MS);
      await store.insertVm(vmRow(2, 1));
      expect(await store.releaseReservation(1, 2)).toBe(false);
      expect(store.snapshot().ip_pool[0]).toMatchObject({ reserve: true, vm: 2 });
    });
  });

  describe(`${name}: VMs`, () => {
    it('have their row on the address that they hold', async () => {
      const { store, vm, open } = await withVm();
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1)]);
      expect((await open()).snapshot().vmachine).toEqual([vmRow(vm, 1)]);
    });

    it('get no row on an address that they do not hold', async () => {
      const { store, vm } = await withVm();
      await expect(store.insertVm(vmRow(vm + 1, 2))).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      await expect(store.insertVm(vmRow(vm, 2))).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      await expect(store.insertVm(vmRow(vm, 9))).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1)]);
    });

    it('may be inserted again, as after adoption: the newer row counts', async () => {
      const { store, vm } = await withVm();
      store.touchVm(vm, { cpu: 50 });
      await store.insertVm(vmRow(vm, 1, { cpu: 60, pid: null }));
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1, { cpu: 60, pid: null })]);
    });

    it('lose row and address in one write (R8)', async () => {
      const { store, vm, open } = await withVm();
      expect(await store.releaseVm(vm)).toBe(true);
      expect(await store.releaseVm(vm)).toBe(false);
      const { vmachine, ip_pool } = (await open()).snapshot();
      expect(vmachine).toEqual([]);
      expect(ip_pool[0]).toEqual({ ...newAddress(1), reserve: false, last_reserve: AT_MS, vm: null });
    });

    it('lose their address too if they never got a row', async () => {
      const { store } = await setUp();
      await store.reserve(1, 1, AT_MS);
      expect(await store.releaseVm(1)).toBe(true);
      expect(store.snapshot().ip_pool[0]).toMatchObject({ reserve: false, vm: null });
    });

    it.each([
      ['cpu', { cpu: 101 }],
      ['cpu', { cpu: Number.NaN }],
      ['ram', { ram: -1 }],
      ['free_count', { free_count: 0.5 }],
      ['last_connect', { last_connect: -1 }],
      ['host', { host: '' }],
      ['pid', { pid: 0 }],
    ] as const)('are refused with a figure that cannot be: %s in %o', async (field, values) => {
      const { store, vm } = await withVm();
      const refusal = { code: 'STORE_ROW_INVALID', details: { field: `vmachine.${field}` } };
      await expect(store.insertVm(vmRow(vm, 1, values))).rejects.toMatchObject(refusal);
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1)]);
    });
  });

  describe(`${name}: ids of VMs`, () => {
    it('are given once, whatever crashes when', async () => {
      const { store, open } = await setUp();
      const ids = Array.from({ length: 50 }, () => store.nextVmId());
      const again = await open();
      ids.push(...Array.from({ length: 50 }, () => again.nextVmId()));
      await again.close();
      const third = await open();
      ids.push(third.nextVmId());
      expect(new Set(ids).size).toBe(101);
      expect(ids).toEqual([...ids].sort((one, other) => one - other));
    });

    it('skip none when the store was closed', async () => {
      const { store, open } = await setUp();
      const last = store.nextVmId();
      await store.close();
      expect((await open()).nextVmId()).toBe(last + 1);
    });

    it('do not run out while the disk takes writes', async () => {
      const { store } = await setUp();
      const ids = new Set<number>();
      for (let round = 0; round < 100; round += 1) {
        for (let count = 0; count < 20; count += 1) ids.add(store.nextVmId());
        await store.releaseVm(0); // Nothing to release: it only waits for what is being written.
      }
      expect(ids.size).toBe(2_000);
    });

    it('are there for every address at once', async () => {
      const { store } = await setUp(500);
      expect(new Set(Array.from({ length: 500 }, () => store.nextVmId())).size).toBe(500);
    });

    it('go on above any that is in use', async () => {
      const { store, open } = await setUp();
      const reserved = store.reserve(1, 700, AT_MS);
      await reserved;
      expect(store.nextVmId()).toBeGreaterThan(700);
      expect((await open()).nextVmId()).toBeGreaterThan(700);
    });

    it('end when the disk has long refused writes, and go on after that', async () => {
      const { store, failWrites } = await setUp();
      failWrites(true);
      const takeMany = (): unknown => Array.from({ length: 10_000 }, () => store.nextVmId());
      expect(takeMany).toThrowError(expect.objectContaining({ code: 'STORE_WRITE_FAILED' }));
      failWrites(false);
      await store.reserve(1, 100_000, AT_MS);
      expect(store.nextVmId()).toBe(100_001);
    });
  });

  describe(`${name}: parameters`, () => {
    it('are set together and survive', async () => {
      const { store, open } = await setUp();
      const params = await store.setParams({ status_interval_ms: 4_000, last_connect_ms: '12000' });
      expect(params).toMatchObject({ statusIntervalMs: 4_000, lastConnectMs: 12_000, freeCount: 5 });
      expect((await open()).snapshot().system_params).toEqual([
        { key: 'last_connect_ms', value: 12_000 },
        { key: 'status_interval_ms', value: 4_000 },
      ]);
    });

    it('are checked against those that were set before, and refused as a whole', async () => {
      const { store } = await setUp();
      await store.setParams({ last_connect_ms: 12_000 });
      const refusal = { code: 'CONFIG_VALUE' };
      await expect(store.setParams({ free_count: 7, status_interval_ms: 5_000 })).rejects.toMatchObject(refusal);
      await expect(store.setParams({ fleet_count: 7 })).rejects.toMatchObject(refusal);
      expect(store.snapshot().system_params).toEqual([{ key: 'last_connect_ms', value: 12_000 }]);
    });
  });

  describe(`${name}: soft fields`, () => {
    const figures = {
      cpu: 80,
      ram: 50_000_000,
      free_count: 2,
      last_connect: AT_MS + 1_000,
      state: 'draining',
    } as const;

    it('show at once and are kept by a close', async () => {
      const { store, vm, open } = await withVm();
      store.touchVm(vm, { cpu: 10 });
      store.touchVm(vm, figures);
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1, figures)]);
      await store.close();
      expect((await open()).snapshot().vmachine).toEqual([vmRow(vm, 1, figures)]);
    });

    it('reach the disk within 5 s', async () => {
      const { store, vm, clock, open } = await withVm();
      store.touchVm(vm, figures);
      await clock.advance(5_000);
      expect((await open()).snapshot().vmachine).toEqual([vmRow(vm, 1, figures)]);
    });

    it('may be lost in a crash; the row is not', async () => {
      const { store, vm, open } = await withVm();
      store.touchVm(vm, figures);
      const { vmachine } = (await open()).snapshot();
      expect(vmachine).toHaveLength(1);
      expect(durablePart({ vmachine, ip_pool: [], system_params: [] })).toEqual(
        durablePart({ vmachine: [vmRow(vm, 1)], ip_pool: [], system_params: [] }),
      );
    });

    it('are passed over for a VM without a row, also one that is gone', async () => {
      const { store, vm } = await withVm();
      store.touchVm(99, figures);
      await store.releaseVm(vm);
      store.touchVm(vm, figures);
      expect(store.snapshot().vmachine).toEqual([]);
    });

    it('are refused if they cannot be', async () => {
      const { store, vm } = await withVm();
      expect(() => store.touchVm(vm, { cpu: -1 })).toThrowError(expect.objectContaining({ code: 'STORE_ROW_INVALID' }));
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1)]);
    });

    it('are tried again when they could not be written', async () => {
      const { store, vm, clock, open, failWrites } = await withVm();
      failWrites(true);
      store.touchVm(vm, figures);
      await clock.advance(5_000);
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1, figures)]);
      failWrites(false);
      await clock.advance(5_000);
      expect((await open()).snapshot().vmachine).toEqual([vmRow(vm, 1, figures)]);
    });
  });

  describe(`${name}: a disk that takes no writes`, () => {
    it('is reported, and nothing shows that is not durable', async () => {
      const { store, vm, failWrites, open } = await withVm();
      const before = store.snapshot();
      failWrites(true);
      const outcomes = await Promise.allSettled([
        store.reserve(2, vm + 1, AT_MS),
        store.releaseVm(vm),
        store.setParams({ free_count: 9 }),
        store.addAddresses([newAddress(9)]),
        store.removeAddress(3),
      ]);
      const failure = { status: 'rejected', reason: { code: 'STORE_WRITE_FAILED' } };
      expect(outcomes).toMatchObject(outcomes.map(() => failure));
      expect(store.snapshot()).toEqual(before);
      failWrites(false);
      await store.reserve(3, vm + 2, AT_MS);
      const after = store.snapshot();
      expect(after.ip_pool.map((row) => row.vm)).toEqual([vm, null, vm + 2]);
      expect((await open()).snapshot()).toEqual(after);
    });
  });

  describe(`${name}: a snapshot`, () => {
    it('never changes, and is the same object until something does', async () => {
      const { store, vm } = await withVm();
      const before = store.snapshot();
      expect(store.snapshot()).toBe(before);
      store.touchVm(vm, { cpu: 70 });
      await store.releaseVm(vm);
      expect(before.vmachine).toEqual([vmRow(vm, 1)]);
      const everything = [before, ...Object.values(before), ...Object.values(before).flat()];
      expect(everything.every((part) => Object.isFrozen(part))).toBe(true);
    });

    it('shows a change when its promise has resolved, and what it is told cannot be changed from outside', async () => {
      const { store } = await setUp();
      const row = vmRow(1, 1);
      await store.reserve(1, 1, AT_MS);
      const inserted = store.insertVm(row);
      expect(store.snapshot().vmachine).toEqual([]);
      await inserted;
      Object.assign(row, { host: 'another' });
      expect(store.snapshot().vmachine).toEqual([vmRow(1, 1)]);
    });
  });

  describe(`${name}: its end`, () => {
    it('waits for what is being written and refuses what comes later', async () => {
      const { store, open } = await setUp();
      const reserved = store.reserve(1, 1, AT_MS);
      const closed = Promise.all([store.close(), store.close()]);
      const closedError = { code: 'STORE_CLOSED' };
      await expect(store.releaseVm(1)).rejects.toMatchObject(closedError);
      await reserved;
      await closed;
      expect(() => store.nextVmId()).toThrowError(expect.objectContaining(closedError));
      expect(() => store.touchVm(1, {})).toThrowError(expect.objectContaining(closedError));
      expect((await open()).snapshot().ip_pool[0]).toMatchObject({ vm: 1 });
    });

    it('may be asked for changes by whoever has just been told of one', async () => {
      const { store } = await setUp();
      const chain = store.reserve(1, 1, AT_MS).then(() => {
        store.nextVmId();
        return Promise.all([store.insertVm(vmRow(1, 1)), store.reserve(2, 2, AT_MS)]);
      });
      await Promise.all([chain, store.reserve(3, 3, AT_MS)]);
      expect(store.snapshot().ip_pool.map((row) => row.vm)).toEqual([1, 2, 3]);
    });
  });

  it(`${name}: whatever is asked of it, no address is held by two VMs, none leaks, and a crash loses nothing that was acknowledged`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyChange(), { maxLength: 4 }), { maxLength: 8 }), async (turns) => {
        const place = await makeStore();
        try {
          const store = await place.open();
          await store.addAddresses(newAddresses(3));
          for (const turn of turns) await Promise.allSettled(turn.map((change) => change.make(store)));
          const tables = store.snapshot();
          expectSound(tables);
          const reopened = await place.open();
          expect(durablePart(reopened.snapshot())).toEqual(durablePart(tables));
          for (const { id_ip, vm } of tables.ip_pool)
            if (vm !== null) expect(await reopened.releaseVm(vm), `${id_ip}`).toBe(true);
          expect(reopened.snapshot().ip_pool.some((row) => row.reserve)).toBe(false);
        } finally {
          await place.dispose();
        }
      }),
    );
  });
}

function expectSound({ ip_pool, vmachine }: Tables): void {
  const holders = ip_pool.flatMap(({ vm }) => (vm === null ? [] : [vm]));
  expect(new Set(holders).size).toBe(holders.length);
  for (const { reserve, vm } of ip_pool) expect(reserve).toBe(vm !== null);
  for (const row of vmachine) expect(ip_pool.find(({ id_ip }) => id_ip === row.id_ip)?.vm).toBe(row.id_vmachine);
}
