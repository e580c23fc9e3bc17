import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotList } from './slot-list.ts';

const anyChange = fc.record({
  slot: fc.oneof({ weight: 4, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(2_000) }),
  isRemoved: fc.boolean(),
});

describe('a list of slots', () => {
  it('has them in the order in which they were last put at its end', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 60 }), (changes) => {
        const list = new SlotList();
        const model = new Set<number>();
        for (const { slot, isRemoved } of changes) {
          model.delete(slot);
          if (isRemoved) list.remove(slot);
          else {
            model.add(slot);
            list.toEnd(slot);
          }
          const slots = [...model];
          expect([[...list], list.first]).toEqual([slots, slots[0]]);
        }
      }),
    );
  });
});
