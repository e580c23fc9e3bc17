import { describe, expect, it } from 'vitest';
import type { Places } from './places.ts';
import { AT_MS, durablePart, freeRow, vmRow } from './rows.ts';

/** What every store promises of `vmachine` and of the ids that stand in it. */
export function vmConformance(name: string, { setUp, withVm }: Places): void {
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
      store.touchVm(vm, { cpu: 70 });
      expect(store.snapshot().vmachine).toMatchObject([{ cpu: 70 }]);
      await store.insertVm(vmRow(vm, 1, { cpu: 60, pid: null }));
      expect(store.snapshot().vmachine).toMatchObject([{ cpu: 60 }]);
    });

    it('lose row and address in one write (R8)', async () => {
      const { store, vm, open } = await withVm();
      expect(await store.releaseVm(vm)).toBe(true);
      expect(await store.releaseVm(vm)).toBe(false);
      const { vmachine, ip_pool } = (await open()).snapshot();
      expect(vmachine).toEqual([]);
      expect(ip_pool[0]).toEqual({ ...freeRow(1), last_reserve: AT_MS });
    });

    it('lose their address too if they never got a row', async () => {
      const { store } = await setUp();
      await store.reserve(1, 1, AT_MS);
      expect(await store.releaseVm(1)).toBe(true);
      expect(store.snapshot().ip_pool[0]).toMatchObject({ reserve: false, vm: null });
    });

    it('may leave their address for another in one turn', async () => {
      const { store, open } = await setUp();
      await store.reserve(1, 1, AT_MS);
      await Promise.all([store.releaseVm(1), store.reserve(2, 1, AT_MS)]);
      expect((await open()).snapshot().ip_pool.map((row) => row.vm)).toEqual([null, 1, null]);
    });

    it('may use no CPU at all, or all of it', async () => {
      const { store, vm } = await withVm();
      for (const cpu of [0, 100]) {
        store.touchVm(vm, { cpu });
        expect(store.snapshot().vmachine).toMatchObject([{ cpu }]);
      }
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
      const { store, failWrites, open } = await setUp();
      failWrites(true);
      const ids: number[] = [];
      const takeMany = (): void => {
        for (let count = 0; count < 10_000; count += 1) ids.push(store.nextVmId());
      };
      expect(takeMany).toThrowError(expect.objectContaining({ code: 'STORE_WRITE_FAILED' }));
      const afterCrash = await open();
      failWrites(false);
      expect(ids).not.toContain(afterCrash.nextVmId());
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
      store.touchVm(vm, { ram: 20 });
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1, { cpu: 10, ram: 20 })]);
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
      const before = store.snapshot();
      store.touchVm(99, figures);
      expect(store.snapshot()).toBe(before);
      await store.releaseVm(vm);
      store.touchVm(vm, figures);
      expect(store.snapshot().vmachine).toEqual([]);
    });

    it('that change while others are being written are newer than these', async () => {
      const { store, vm, clock, open } = await withVm();
      store.touchVm(vm, figures);
      const writing = store.setParams({ min_vm_count: 2 });
      // The write takes what there is at the end of this turn.
      await Promise.resolve();
      await Promise.resolve();
      store.touchVm(vm, { cpu: 10 });
      await writing;
      expect(store.snapshot().vmachine).toEqual([vmRow(vm, 1, { ...figures, cpu: 10 })]);
      await clock.advance(5_000);
      expect((await open()).snapshot().vmachine).toEqual([vmRow(vm, 1, { ...figures, cpu: 10 })]);
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
}
