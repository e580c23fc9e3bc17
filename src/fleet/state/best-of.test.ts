import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BestOf } from './best-of.ts';

const anyChange = fc.record({
  slot: fc.oneof({ weight: 4, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(2_000) }),
  rank: fc.option(fc.nat(10), { freq: 4 }),
});

describe('the best of many slots', () => {
  it('is the one that a search would find, whatever joins, leaves or changes its rank', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 100 }), (changes) => {
        const ranks = new Map<number, number>();
        const rankOf = (slot: number): number => ranks.get(slot) ?? Number.POSITIVE_INFINITY;
        const isBetter = (a: number, b: number): boolean => rankOf(a) < rankOf(b) || (rankOf(a) === rankOf(b) && a < b);
        const best = new BestOf(isBetter);
        for (const { slot, rank } of changes) {
          const wasMember = ranks.has(slot);
          if (rank === null) ranks.delete(slot);
          else ranks.set(slot, rank);
          if (rank === null) best.remove(slot);
          else if (wasMember) best.update(slot);
          else best.add(slot);
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
