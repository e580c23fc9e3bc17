import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consistentHash, leastBusy, type PoolMember, roundRobin } from '../mod.ts';

const members = (...loads: (number | 'down')[]): PoolMember[] =>
  loads.map((load) => ({ isUp: load !== 'down', load: load === 'down' ? 0 : load }));

/** The choices of a routing for so many messages. */
function choices(route: (members: readonly PoolMember[], message: unknown) => number, of: PoolMember[], count: number) {
  return Array.from({ length: count }, () => route(of, 'message'));
}

describe('roundRobin', () => {
  it('goes round, passes over who is down, and goes on after a resize', () => {
    const route = roundRobin();
    expect(choices(route, members(0, 0, 0), 4)).toEqual([0, 1, 2, 0]);
    expect(choices(route, members(0, 'down', 0), 3)).toEqual([2, 0, 2]);
    expect(choices(route, members(0), 2)).toEqual([0, 0]);
    expect(choices(route, members('down', 'down'), 1)).toEqual([0]);
  });

  it('begins anew with each pool', () => {
    roundRobin()(members(0, 0), 'message');
    expect(roundRobin()(members(0, 0), 'message')).toBe(0);
  });
});

describe('leastBusy', () => {
  it('chooses who has the fewest messages, and goes round among equals', () => {
    const route = leastBusy();
    expect(choices(route, members(2, 1, 3), 2)).toEqual([1, 1]);
    expect(choices(route, members(1, 1, 1), 3)).toEqual([2, 0, 1]);
    expect(choices(route, members('down', 5), 1)).toEqual([1]);
    expect(choices(route, members('down', 'down'), 1)).toEqual([0]);
  });
});

describe('consistentHash', () => {
  const route = consistentHash((message: string) => message)();
  const size = (count: number): PoolMember[] => members(...new Array<number>(count).fill(0));

  it('gives each key one member, and moves keys to new members only', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 200 }),
        (key, count, more) => {
          const before = route(size(count), key);
          const after = route(size(count + more), key);
          expect(before).toBe(route(size(count), key));
          expect(before).toBeLessThan(count);
          if (after !== before) expect(after).toBeGreaterThanOrEqual(count);
          expect(after).toBeLessThan(count + more);
        },
      ),
    );
  });

  it.each([2, 3, 10, 64])('spreads keys over %s members', (count) => {
    const shares = new Array<number>(count).fill(0);
    const keys = 1_000 * count;
    for (let key = 0; key < keys; key++) {
      const index = route(size(count), `customer-${key}`);
      shares[index] = (shares[index] ?? 0) + 1;
    }
    // Seven times the standard deviation of a random spread.
    for (const share of shares) expect(Math.abs(share - 1_000)).toBeLessThan(7 * Math.sqrt(1_000));
  });
});
