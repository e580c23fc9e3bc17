import { expect, test } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { ProcessFigures } from './process-figures.ts';

test('the share of a CPU since the last look, and all the memory', async () => {
  const clock = new ManualClock();
  let usedMs: number | undefined = 5_000;
  const figures = new ProcessFigures(() => ({ cpuUsedMs: () => usedMs }), clock, 96);
  expect(figures.measured()).toMatchObject({ cpuPercent: 0, ramBytes: 96 });
  await clock.advance(1_000);
  usedMs += 250;
  expect(figures.measured()).toMatchObject({ cpuPercent: 25, ramBytes: 96 });
  await clock.advance(100);
  usedMs += 5_000;
  expect(figures.measured()).toMatchObject({ cpuPercent: 100 });
  usedMs = undefined;
  await clock.advance(100);
  expect(figures.measured()).toMatchObject({ cpuPercent: 0 });
});

test('reports count up, also those of the next actor', async () => {
  const clock = new ManualClock();
  const machine = () => undefined;
  const first = new ProcessFigures(machine, clock, 1);
  const seqs = [first.measured().seq, first.measured().seq];
  await clock.advance(1_000);
  seqs.push(new ProcessFigures(machine, clock, 1).measured().seq);
  expect(seqs.toSorted((a, b) => a - b)).toEqual(seqs);
  expect(new Set(seqs).size).toBe(3);
});
