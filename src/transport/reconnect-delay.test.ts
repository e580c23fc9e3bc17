import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ReconnectDelay } from './reconnect-delay.ts';

test('attempts thin out with the time that the server is away, up to one in two seconds', async () => {
  const clock = new ManualClock();
  const delay = new ReconnectDelay(clock);
  expect(delay.delayMs()).toBe(50);
  delay.lost();
  expect(delay.delayMs()).toBe(50);
  await clock.advance(1_000);
  delay.lost();
  expect(delay.delayMs()).toBe(500);
  await clock.advance(60_000);
  expect(delay.delayMs()).toBe(2_000);
  delay.back();
  expect(delay.delayMs()).toBe(50);
});
