import { expect, test } from 'vitest';
import { RuleClock } from './rule-clock.ts';

test('time in which our own process stood still is left out', () => {
  const clock = new RuleClock();
  clock.leaveOut(500);
  clock.leaveOut(100);
  expect(clock.at(1_000)).toBe(400);
});

test('time while the clock stands still is left out, once', () => {
  const clock = new RuleClock();
  clock.stop(1_000);
  expect(clock.at(5_000)).toBe(1_000);
  clock.stop(3_000);
  clock.leaveOut(2_000);
  expect(clock.at(6_000)).toBe(1_000);
  clock.resume(7_000);
  clock.resume(9_000);
  expect([clock.at(7_000), clock.at(7_500)]).toEqual([1_000, 1_500]);
});
