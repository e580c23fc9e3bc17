import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tables } from '../rows.ts';
import { addressConformance } from './address-conformance.ts';
import { anyChange } from './any-change.ts';
import { placesFrom, type StoreUnderTest } from './places.ts';
import { AT_MS, durablePart, newAddress, newAddresses, vmRow } from './rows.ts';
import { vmConformance } from './vm-conformance.ts';

/** What every store promises, whatever it keeps its tables in: run it on each. */
export function storeConformance(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  const places = placesFrom(makeStore);
  const { setUp, withVm } = places;

  addressConformance(name, places);
  vmConformance(name, places);

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
      Object.assign(row, { host: 'another' });
      await inserted;
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
