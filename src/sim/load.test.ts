import { describe, expect, test } from 'vitest';
import { formatShape, parseShape, rateAt, shapedLoad } from './load.ts';
import { Chance } from './random.ts';
import { all, countBetween } from './testing/arrivals.ts';

describe('a shape', () => {
  test.each([
    ['constant:20', { kind: 'constant', perSecond: 20 }],
    ['step:1:20:30', { kind: 'step', perSecond: 1, toPerSecond: 20, atMs: 30_000 }],
    ['burst:5:200:30:5', { kind: 'burst', perSecond: 5, peakPerSecond: 200, everyMs: 30_000, forMs: 5_000 }],
    ['sine:1:50.5:60', { kind: 'sine', fromPerSecond: 1, toPerSecond: 50.5, periodMs: 60_000 }],
    ['burst:0:1:18.505:2.968', { kind: 'burst', perSecond: 0, peakPerSecond: 1, everyMs: 18_505, forMs: 2_968 }],
  ] as const)('%s is read, and written again', (text, shape) => {
    expect(parseShape(text)).toEqual(shape);
    expect(formatShape(shape)).toBe(text);
  });

  test.each([
    '',
    'constant',
    'constant:0',
    'constant:-1',
    'constant:1:2',
    'step:1:2',
    'sine:1:2:0',
    'cosine:1:2:3',
    'burst:0:0:1:1',
  ])('"%s" is refused with the forms and the value', (text) => {
    expect(() => parseShape(text)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_VALUE',
        message: expect.stringMatching(/^Expected --load to be .*; got/),
      }),
    );
  });

  test('has its rate at each moment', () => {
    const at = (text: string, ...seconds: number[]): number[] =>
      seconds.map((one) => Math.round(rateAt(parseShape(text), one * 1_000)));
    expect(at('step:1:20:30', 0, 29, 30)).toEqual([1, 1, 20]);
    expect(at('burst:5:200:30:5', 0, 4, 5, 29, 30)).toEqual([200, 200, 5, 5, 200]);
    expect(at('sine:10:30:60', 0, 15, 30, 60)).toEqual([10, 20, 30, 10]);
  });

  test('has arrivals that are independent of each other (Poisson): their counts vary as much as their mean', () => {
    const seconds = 2_000;
    const arrivals = all(shapedLoad(parseShape('constant:10'), new Chance(1), seconds * 1_000));
    const counts = Array.from({ length: seconds }, (_, second) =>
      countBetween(arrivals, second * 1_000, (second + 1) * 1_000),
    );
    const mean = arrivals.length / seconds;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / seconds;
    expect(Math.abs(mean - 10)).toBeLessThan(0.5);
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.15);
  });

  test('has as many arrivals as its rate says, in order, none after the end', () => {
    const arrivals = all(shapedLoad(parseShape('step:10:100:50'), new Chance(1), 100_000));
    const times = arrivals.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(times.at(-1)).toBeLessThan(100_000);
    expect(Math.abs(countBetween(arrivals, 0, 50_000) - 500)).toBeLessThan(90);
    expect(Math.abs(countBetween(arrivals, 50_000, 100_000) - 5_000)).toBeLessThan(300);
  });
});
