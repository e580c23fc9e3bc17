/** Each change of `src/fleet` that breaks a promise is caught by a test. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { ALL } from './all.ts';
import { judgeAll } from './pool.ts';

const MINUTE_MS = 60_000;

test(
  'no mutation of the policy, its state or its router survives the tests beside them',
  async () => {
    const verdicts = await judgeAll([...ALL.keys()], availableParallelism());
    const survivors = verdicts.filter(({ caughtBy }) => caughtBy.length === 0);
    expect(survivors.map(({ index }) => `${ALL[index]?.file}: ${ALL[index]?.breaks}`)).toEqual([]);
    expect(verdicts).toHaveLength(ALL.length);
  },
  15 * MINUTE_MS,
);
