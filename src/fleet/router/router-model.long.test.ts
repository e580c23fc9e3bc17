import fc from 'fast-check';
import { it } from 'vitest';
import { routerProperty } from '../kit/router-property.ts';

/** As the unit test of the same property, with many more histories; it stops earlier on a slow machine. */
const RUNS = 15_000;
const LIMIT_MS = 90_000;

it('a router in which everything fails keeps its promises in many thousand histories', async () => {
  await fc.assert(routerProperty(), { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS });
});
