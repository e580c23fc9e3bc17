import { expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { CpuUse } from './cpu-use.ts';

it.each([
  [20, false],
  [30, true],
])('a process that wants %i %% of a CPU burns it: %j', async (percent, isBurning) => {
  const clock = new ManualClock();
  const use = new CpuUse({ cpuDemandMs: () => 7_000 + (clock.monotonic() * percent) / 100 }, clock);
  await clock.advance(2_000);
  expect(use.isBurning()).toBe(isBurning);
});

it.each([
  ['before', [undefined, 7_000]],
  ['after', [7_000, undefined]],
])('a process whose figure cannot be read %s may burn its CPU', (_, figures) => {
  const left = [...figures];
  const use = new CpuUse({ cpuDemandMs: () => left.shift() }, new ManualClock());
  expect(use.isBurning()).toBe(true);
});
