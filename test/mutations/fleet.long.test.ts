/**
 * Each change of the sources that breaks a promise is caught by a test. A run takes every fifth mutation, from one that its seed
 * names (`FC_SEED`); `SHOAL_MUTATIONS=all` takes them all, which takes a quarter of an hour.
 */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { AREAS, type AreaName } from './all.ts';
import { judgeAll } from './pool.ts';

const MINUTE_MS = 60_000;

const PART = 5;

function chosen(area: AreaName): readonly number[] {
  const all = [...AREAS[area].mutations.keys()];
  if (process.env['SHOAL_MUTATIONS'] === 'all') return all;
  const first = Math.abs(Number(process.env['FC_SEED'] || Date.now())) % PART;
  return all.filter((index) => index % PART === first);
}

async function expectNoSurvivor(area: AreaName): Promise<void> {
  const indexes = chosen(area);
  const verdicts = await judgeAll(area, indexes, availableParallelism());
  const survivors = verdicts.filter(({ caughtBy }) => caughtBy.length === 0);
  expect(survivors.map(({ mutation: { file, breaks } }) => `${file}: ${breaks}`)).toEqual([]);
  expect(verdicts).toHaveLength(indexes.length);
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
