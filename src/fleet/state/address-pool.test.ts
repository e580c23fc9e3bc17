import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressPool } from './address-pool.ts';

const address = (id: number) => ({ id, ip: `127.0.0.${id}`, port: 9000 });

/** The VM that holds the address is gone, and that is durable. */
function leave(pool: AddressPool, id: number, vm: number): boolean {
  return pool.leave(vm, address(id)) && pool.release(vm);
}

test('an address that is added is free, in the order of its id', () => {
  const pool = new AddressPool([address(1), address(5)]);
  expect(pool.add(address(3))).toBe(true);
  expect(pool.entries.map((entry) => entry.address.id)).toEqual([1, 3, 5]);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([1, 3, 5]);
  expect(pool.add(address(3))).toBe(false);
  expect(pool.add({ ...address(3), id: 9 })).toBe(false);
});

test('an address that a VM holds is not taken out, and one that is out is not given', () => {
  const pool = new AddressPool([address(1), address(2)]);
  pool.hold(address(1), 7);
  expect(pool.remove(1)).toBe(false);
  expect(pool.remove(2)).toBe(true);
  expect(pool.remove(2)).toBe(false);
  expect([...pool.free(0)]).toEqual([]);
  leave(pool, 1, 7);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([1]);
});

test('one that comes into the pool while a VM is on it stays that VM\u2019s', () => {
  const pool = new AddressPool([address(1)]);
  pool.hold(address(2), 7);
  expect(pool.add(address(2))).toBe(true);
  expect(pool.holder(address(2))).toBe(7);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([1]);
  leave(pool, 2, 7);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([1, 2]);
});

test('over any history what is free is what is in the pool and not held, lowest id first', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'remove', 'hold', 'release'),
    id: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = new AddressPool([]);
      const inPool = new Set<number>();
      const held = new Set<number>();
      for (const { what, id } of steps) {
        if (what === 'add' && pool.add(address(id))) inPool.add(id);
        if (what === 'remove' && pool.remove(id)) inPool.delete(id);
        if (what === 'hold' && pool.hold(address(id), id)) held.add(id);
        if (what === 'release' && held.has(id) && leave(pool, id, id)) held.delete(id);
        const free = [...inPool].filter((one) => !held.has(one)).sort((a, b) => a - b);
        expect([...pool.free(0)].map((one) => one.id)).toEqual(free);
        expect(pool.freeCount(0)).toBe(free.length);
      }
    }),
  );
});

test('an address whose VM is gone is free only when that is durable', () => {
  const pool = new AddressPool([address(1)]);
  pool.hold(address(1), 7);
  pool.leave(7, address(1));
  expect([[...pool.free(0)], pool.holder(address(1)), [...pool.releasing.keys()]]).toEqual([[], 7, [7]]);
  expect([pool.release(7), pool.release(7)]).toEqual([true, false]);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([1]);
});

test('an address that the tables give to a VM is held until that VM is seen, or gone', () => {
  const pool = new AddressPool([address(1), address(2)]);
  expect([pool.holdAbsent(address(1), 7), pool.holdAbsent(address(1), 8)]).toEqual([true, false]);
  pool.holdAbsent(address(2), 9);
  pool.hold(address(1), 7);
  expect([...pool.absent.keys()]).toEqual([9]);
  expect([pool.leave(7, undefined), pool.leave(9, undefined)]).toEqual([false, true]);
  expect([...pool.absent.keys()]).toEqual([]);
  pool.release(9);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([2]);
});

test('an id stands for one address, also if another address asks for it', () => {
  const pool = new AddressPool([address(1)]);
  expect(pool.add({ id: 1, ip: '127.0.0.9', port: 9000 })).toBe(false);
  expect(pool.entries).toHaveLength(1);
});

test('an address that is taken out and put back is given once', () => {
  const pool = new AddressPool([address(1), address(2)]);
  pool.remove(1);
  pool.add({ id: 1, ip: '127.0.0.7', port: 9000 });
  expect([...pool.free(0)].map(({ ip }) => ip)).toEqual(['127.0.0.7', '127.0.0.2']);
  pool.remove(1);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([2]);
});

test('an address that another VM has taken over stays with it when the first is released', () => {
  const pool = new AddressPool([address(1)]);
  pool.hold(address(1), 7);
  // It says that it has left an address that is not its own.
  pool.leave(8, address(1));
  pool.release(8);
  expect([pool.holder(address(1)), [...pool.free(0)]]).toEqual([7, []]);
});

test('an address that was never in the pool is given to nobody when its VM is gone, whatever has its id', () => {
  const pool = new AddressPool([address(1)]);
  const foreign = { id: 1, ip: '127.0.0.9', port: 9000 };
  pool.hold(address(1), 6);
  pool.hold(foreign, 7);
  pool.leave(7, foreign);
  pool.release(7);
  expect([...pool.free(0)]).toEqual([]);
  leave(pool, 1, 6);
  expect([...pool.free(0)].map(({ ip }) => ip)).toEqual(['127.0.0.1']);
});

test('an address that the tables give to a VM which is found on another is held until that VM is gone', () => {
  const pool = new AddressPool([address(1), address(2), address(3)]);
  pool.holdAbsent(address(1), 7);
  pool.hold(address(2), 7);
  expect([[...pool.free(0)].map(({ id }) => id), [...pool.absent.keys()]]).toEqual([[3], []]);
  pool.leave(7, address(2));
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([3]);
  pool.release(7);
  expect([...pool.free(0)].map(({ id }) => id)).toEqual([1, 2, 3]);
});

test('an address that two VMs are on is free when both are gone, whichever goes first', () => {
  for (const [first, second] of [[7, 8] as const, [8, 7] as const]) {
    const pool = new AddressPool([address(1)]);
    pool.hold(address(1), 7);
    pool.share(address(1), 8);
    expect([pool.holder(address(1)), pool.isAlone(7, address(1))]).toEqual([7, false]);
    leave(pool, 1, first);
    expect([pool.holder(address(1)), [...pool.free(0)], pool.remove(1)]).toEqual([second, [], false]);
    expect([pool.isAlone(first, address(1)), pool.isAlone(second, address(1))]).toEqual([false, true]);
    leave(pool, 1, second);
    expect([...pool.free(0)].map(({ id }) => id)).toEqual([1]);
  }
});

test('an address that is set aside is not free, nor counted as free, unless that is over', () => {
  const pool = new AddressPool([address(1), address(2), address(3)]);
  for (const id of [1, 2, 3]) pool.quarantine(address(id), 250);
  pool.hold(address(2), 7);
  pool.remove(3);
  expect([[...pool.free(249)], pool.freeCount(249)]).toEqual([[], 0]);
  expect([[...pool.free(250)].map(({ id }) => id), pool.freeCount(250)]).toEqual([[1], 1]);
});

test('an address that two VMs are on stays theirs when it comes into the pool', () => {
  const pool = new AddressPool([]);
  pool.hold(address(1), 7);
  pool.share(address(1), 8);
  pool.add(address(1));
  leave(pool, 1, 7);
  expect([pool.holder(address(1)), [...pool.free(0)]]).toEqual([8, []]);
});
