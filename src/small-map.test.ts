import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmallMap } from './small-map.ts';

const KEYS = 4;

test('holds what a Map holds, in the same order, whatever is done to it', () => {
  const key = fc.integer({ min: 0, max: KEYS - 1 });
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.option(fc.nat()) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [small, model] = [new SmallMap<number, number | null>(), new Map<number, number | null>()];
      for (const one of steps) {
        if (one.do === 'set') for (const map of [small, model]) map.set(one.key, one.value);
        else if (one.do === 'delete') for (const map of [small, model]) map.delete(one.key);
        else for (const map of [small, model]) map.clear();
        const known = (map: typeof small | typeof model): unknown => [
          map.size,
          [...map.keys()],
          [...map.values()],
          Array.from({ length: KEYS }, (_, at) => [map.has(at), map.get(at)]),
        ];
        expect(known(small)).toEqual(known(model));
      }
    }),
  );
});
