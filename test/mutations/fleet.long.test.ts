/** Each change of the sources that breaks a promise is caught by a test. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { AREAS, type AreaName } from './all.ts';
import { judgeAll } from './pool.ts';

const MINUTE_MS = 60_000;

async function expectNoSurvivor(area: AreaName): Promise<void> {
  const verdicts = await judgeAll(area, availableParallelism());
  const survivors = verdicts.filter(({ caughtBy }) => caughtBy.length === 0);
  expect(survivors.map(({ mutation: { file, breaks } }) => `${file}: ${breaks}`)).toEqual([]);
  expect(verdicts).toHaveLength(AREAS[area].mutations.length);
}

test(
  'no mutation of the policy, its state or its router survives the tests beside them',
  () => expectNoSurvivor('fleet'),
  15 * MINUTE_MS,
);

test(
  'no mutation of how hosts find and lose each other, and carry messages, survives the tests beside it',
  () => expectNoSurvivor('remote'),
  10 * MINUTE_MS,
);

test(
  'no mutation of what a host keeps of a deploy, and of what it obeys, survives the tests beside it',
  () => expectNoSurvivor('host'),
  10 * MINUTE_MS,
);
