import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BestOf } from './best-of.ts';

const anyRank = fc.tuple(fc.integer({ min: -2, max: 2 }), fc.nat(2), fc.nat(2));
const anyChange = fc.record({
  slot: fc.oneof({ weight: 4, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(2_000) }),
  rank: fc.option(anyRank, { freq: 4 }),
});

describe('the best of many slots', () => {
  it.each([0, 1, 2, 3])('follows a change of figure %d alone', (at) => {
    const best = new BestOf();
    best.put(0, 5, 5, 5, 5);
    best.put(1, 6, 6, 6, 6);
    const [first = 5, second = 5, third = 5, last = 5] = [5, 5, 5, 5].with(at, 7);
    best.put(1, 5, 5, 5, 6);
    best.put(0, first, second, third, last);
    expect(best.best).toBe(1);
  });

  it('is the one that a search would find, whatever joins, leaves or changes its rank', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 100 }), (changes) => {
        const ranks = new Map<number, readonly number[]>();
        const isBetter = (a: number, b: number): boolean => {
          const [rank, other] = [ranks.get(a) ?? [], ranks.get(b) ?? []];
          const at = rank.findIndex((figure, index) => figure !== other[index]);
          return (rank[at] ?? 0) < (other[at] ?? 0);
        };
        const best = new BestOf();
        for (const { slot, rank } of changes) {
          if (rank === null) {
            ranks.delete(slot);
            best.remove(slot);
          } else {
            // The last figure tells equals apart, as an id does.
            ranks.set(slot, [...rank, slot]);
            best.put(slot, ...rank, slot);
          }
          const found = [...ranks.keys()].reduce<number | undefined>(
            (one, other) => (one === undefined || isBetter(other, one) ? other : one),
            undefined,
          );
          expect(best.best).toBe(found);
        }
      }),
    );
  });
});
