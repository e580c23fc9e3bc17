import { expect, test } from 'vitest';
import { compare, median, rowOf } from './compare.ts';

test('the median is the middle figure, or the mean of the two middle ones', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('a goal holds on its own side of the ratio', () => {
  const base = { name: 'a', unit: 'ms', baseline: 10 };
  expect(rowOf({ ...base, value: 12, goal: { atMost: 1.2 } })).toMatchObject({
    ratio: 1.2,
    goal: '<= 1.2',
    holds: true,
  });
  expect(rowOf({ ...base, value: 13, goal: { atMost: 1.2 } }).holds).toBe(false);
  expect(rowOf({ ...base, value: 8, goal: { atLeast: 0.8 } })).toMatchObject({
    ratio: 0.8,
    goal: '>= 0.8',
    holds: true,
  });
  expect(rowOf({ ...base, value: 7, goal: { atLeast: 0.8 } }).holds).toBe(false);
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
