import { expect, test } from 'vitest';
import { Latencies } from './latencies.ts';

test('of none there is nothing to say', () => {
  const latencies = new Latencies();
  expect(latencies.summary()).toBeUndefined();
  expect(latencies.bars()).toEqual([]);
});

test('a thousand are summed up to three digits', () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1000; ms++) latencies.record(ms);
  const summary = latencies.summary();
  const expected = { minMs: 1, meanMs: 500.5, p50Ms: 500, p90Ms: 900, p99Ms: 990, p999Ms: 999, maxMs: 1000 };
  for (const [name, ms] of Object.entries(expected)) {
    const found = Object.entries(summary ?? {}).find(([key]) => key === name)?.[1];
    expect(Math.abs((found ?? 0) / ms - 1), name).toBeLessThan(0.002);
  }
});

test('bars stand from the first that is not empty to the last, and hold all', () => {
  const latencies = new Latencies();
  for (const ms of [0.6, 0.999, 1, 9.9, 30]) latencies.record(ms);
  expect(latencies.bars()).toEqual([
    { fromMs: 0.5, toMs: 1, count: 2 },
    { fromMs: 1, toMs: 2, count: 1 },
    { fromMs: 2, toMs: 5, count: 0 },
    { fromMs: 5, toMs: 10, count: 1 },
    { fromMs: 10, toMs: 20, count: 0 },
    { fromMs: 20, toMs: 50, count: 1 },
  ]);
});

test('what is out of range counts at its end', () => {
  const latencies = new Latencies();
  for (const ms of [-1, 0, 1e9]) latencies.record(ms);
  expect(latencies.count).toBe(3);
  expect(latencies.summary()).toMatchObject({ minMs: 0.001 });
  expect(latencies.bars().reduce((sum, { count }) => sum + count, 0)).toBe(3);
});
