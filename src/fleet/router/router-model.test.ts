import fc from 'fast-check';
import { describe, it } from 'vitest';
import { routerProperty } from '../kit/router-property.ts';

/** About two seconds. */
const RUNS = 500;

/**
 * A failure prints its seed and what happened, shrunk. Run again with `FC_SEED=<seed> bin/vitest run --project unit
 * src/fleet/router/router-model.test.ts`; deeper with `FC_NUM_RUNS=10000` and `--testTimeout 100000`.
 */
describe('a router whose hosts crash, whose messages come late, twice and out of turn', () => {
  it('ends each request once, holds each address once, and finds back to its minimum', async () => {
    await fc.assert(routerProperty(), { numRuns: fc.readConfigureGlobal().numRuns ?? RUNS });
  });
});
