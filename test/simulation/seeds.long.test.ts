/** Many seeds, with all faults: none breaks a promise, and each moment that matters is reached. */
import { expect, test } from 'vitest';
import { DEFAULT_SCENARIO, runSeeds, unreached } from '../../src/sim/mod.ts';

const SEEDS = 2_000;
const MINUTE_MS = 60_000;

test(
  'no promise is broken in two thousand scenarios, and every moment is reached',
  async () => {
    const summary = await runSeeds({
      base: DEFAULT_SCENARIO,
      firstSeed: 1,
      count: SEEDS,
      swarm: true,
      failuresMax: 3,
      onOutcome: () => undefined,
    });
    expect(summary.failures.map(({ seed, failure }) => `${seed}: ${failure.message}`)).toEqual([]);
    expect(summary.runs).toBe(SEEDS);
    expect(unreached(summary)).toEqual([]);
  },
  30 * MINUTE_MS,
);
