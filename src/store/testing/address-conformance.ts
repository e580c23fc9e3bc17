import { describe, expect, it } from 'vitest';
import type { Places } from './places.ts';
import { AT_MS, freeRow, newAddress, newAddresses, vmRow } from './rows.ts';

/** What every store promises of `ip_pool` and `system_params`. */
export function addressConformance(name: string, { setUp }: Places): void {
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
        { ...freeRow(1), reserve: true, last_reserve: AT_MS, vm: 1 },
        freeRow(2),
        freeRow(3),
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
      const twoPlaces = [newAddress(4), { ...newAddress(5), id_ip: 4 }];
      await expect(store.addAddresses(twoPlaces)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
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

    it('retires a free address at once, and one that is held with its VM, also after a crash', async () => {
      const { store, open } = await setUp(3);
      const vm = store.nextVmId();
      await store.reserve(1, vm, AT_MS);
      expect(await Promise.all([1, 2, 9].map((id) => store.retireAddress(id)))).toEqual([true, true, false]);
      expect(store.snapshot().ip_pool).toEqual([
        { ...freeRow(1), reserve: true, last_reserve: AT_MS, vm, retired: true },
        freeRow(3),
      ]);
      const next = await open();
      await next.releaseVm(vm);
      expect(next.snapshot().ip_pool).toEqual([freeRow(3)]);
      // The VM holds nothing any more: it may hold another one.
      await next.reserve(3, vm, AT_MS);
    });

    it('takes a retired address back when it is added again', async () => {
      const { store } = await setUp(1);
      await store.reserve(1, 1, AT_MS);
      await store.retireAddress(1);
      expect(await store.addAddresses(newAddresses(1))).toBe(1);
      await store.releaseVm(1);
      expect(store.snapshot().ip_pool).toEqual([{ ...freeRow(1), last_reserve: AT_MS }]);
    });

    it('gives all rows of a host another name', async () => {
      const { store } = await setUp(1);
      await store.addAddresses([{ ...newAddress(2), host: 'two' }]);
      await store.reserve(1, 1, AT_MS);
      await store.insertVm(vmRow(1, 1));
      await store.renameHost('one', 'three');
      const { ip_pool, vmachine } = store.snapshot();
      expect([ip_pool[0], ip_pool[1], vmachine[0]]).toMatchObject([
        { host: 'three', vm: 1, last_reserve: AT_MS },
        { host: 'two' },
        { host: 'three' },
      ]);
      await store.addAddresses([{ ...newAddress(1), id_ip: 3, host: 'two' }]);
      await expect(store.renameHost('three', 'two')).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
    });
  });

  describe(`${name}: reservations`, () => {
    it('are there after a crash', async () => {
      const { store, open } = await setUp();
      await store.reserve(2, 7, AT_MS);
      const [, row] = (await open()).snapshot().ip_pool;
      expect(row).toEqual({ ...freeRow(2), reserve: true, last_reserve: AT_MS, vm: 7 });
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
}
