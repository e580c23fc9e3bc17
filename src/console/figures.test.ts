import { expect, test } from 'vitest';
import { plural, roundUp, shortBytes, shortCount, shortDuration, timeOfDay } from './figures.ts';

test('counts take few cells', () => {
  const counts = [0, 7, 0.42, 999, 999.6, 1_000, 12_345, 1_500_000, 3e15, Number.NaN];
  expect(counts.map(shortCount)).toEqual(['0', '7', '0.4', '999', '1.0k', '1.0k', '12.3k', '1.5M', '3000T', '-']);
});

test('bytes in units of 1024', () => {
  expect([0, 1_023, 1_024, 1_200_000, 5 * 2 ** 30].map(shortBytes)).toEqual(['0B', '1.0K', '1.0K', '1.1M', '5.0G']);
});

test('durations say the two units that matter', () => {
  const durations = [0, 59_999, 61_000, 3_600_000, 90_000_000];
  expect(durations.map(shortDuration)).toEqual(['0s', '59s', '1m 01s', '1h 00m', '1d 01h']);
});

test('what is not known is a dash', () => {
  expect([null, -5, Number.NaN].map(shortDuration)).toEqual(['-', '-', '-']);
  expect([null, Number.NaN].map(shortBytes)).toEqual(['-', '-']);
});

test('the upper end of a chart is a round figure that holds its values', () => {
  expect([0, 1, 3, 5, 6, 11, 130, 1_001].map((value) => roundUp(value, 0))).toEqual([1, 1, 5, 5, 10, 20, 200, 2_000]);
  expect(roundUp(1, 100)).toBe(100);
});

test('times are times of the day, and none if they cannot be', () => {
  expect(timeOfDay(Date.UTC(2026, 0, 1, 3, 4, 5))).toBe('03:04:05');
  expect(timeOfDay(Number.MAX_SAFE_INTEGER)).toBe('--:--:--');
  expect([plural(1, 'host'), plural(2, 'host')]).toEqual(['1 host', '2 hosts']);
});
