import { expect, test } from 'vitest';
import { compare, median, rowOf } from './compare.ts';

test('the median is the middle figure, or the mean of the two middle ones', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('a goal holds on its own side of the ratio, and without one there is nothing to miss', () => {
  const row = (ours: number, goal?: { atMost: number } | { atLeast: number }) =>
    rowOf(goal === undefined ? { name: 'a', unit: 'ms' } : { name: 'a', unit: 'ms', goal }, [{ ours, baseline: 10 }]);
  expect(row(12, { atMost: 1.2 })).toMatchObject({ ratio: 1.2, goal: '<= 1.2', holds: true });
  expect(row(13, { atMost: 1.2 }).holds).toBe(false);
  expect(row(8, { atLeast: 0.8 })).toMatchObject({ ratio: 0.8, goal: '>= 0.8', holds: true });
  expect(row(7, { atLeast: 0.8 }).holds).toBe(false);
  expect(row(99)).toMatchObject({ goal: 'none', holds: true });
});

test('a load that comes and goes changes the figures, not the ratio', () => {
  const rounds = [1, 1, 5, 9, 9].map((load) => ({ ours: 2 * load, baseline: load }));
  expect(rowOf({ name: 'a', unit: 'ms' }, rounds)).toMatchObject({ value: 10, baseline: 5, ratio: 2, spread: [2, 2] });
});

test('the spread is what half of the rounds lie within', () => {
  const rounds = [1, 2, 3, 4, 100].map((ours) => ({ ours, baseline: 1 }));
  expect(rowOf({ name: 'a', unit: 'ms' }, rounds)).toMatchObject({ ratio: 3, spread: [2, 4] });
});

test('sides are measured in turns, the order changes, and the first round does not count', async () => {
  const order: string[] = [];
  const figures = [100, 1, 2, 3];
  const next = { ours: 0, baseline: 0 };
  const side = (name: 'ours' | 'baseline') => () => {
    order.push(name);
    return Promise.resolve(figures[next[name]++] ?? 0);
  };
  const row = await compare({
    name: 'a',
    unit: 'ms',
    goal: { atMost: 1 },
    rounds: 3,
    ours: side('ours'),
    baseline: side('baseline'),
  });
  expect(order).toEqual(['ours', 'baseline', 'baseline', 'ours', 'ours', 'baseline', 'baseline', 'ours']);
  expect(row).toMatchObject({ value: 2, baseline: 2, ratio: 1, holds: true });
});
