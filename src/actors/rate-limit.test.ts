import { expect, it } from 'vitest';
import { ManualClock } from './kit/mod.ts';
import { RateLimit } from './rate-limit.ts';

it('a period that is ended early tells what was left out, leaves no timer, and the next one begins', async () => {
  const clock = new ManualClock();
  const omitted: number[] = [];
  const limit = new RateLimit({ clock, max: 1, periodMs: 100, onOmitted: (count) => omitted.push(count) });
  expect([limit.admits(), limit.admits(), limit.admits()]).toEqual([true, false, false]);
  limit.flush();
  expect([omitted, clock.pending]).toEqual([[2], 0]);
  limit.flush();
  expect(limit.admits()).toBe(true);
  await clock.advance(1_000);
  expect(omitted).toEqual([2]);
});
