import { describe, expect, it } from 'vitest';
import type { Places } from './places.ts';
import { AT_MS, newAddress, newAddresses, vmRow } from './rows.ts';

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
