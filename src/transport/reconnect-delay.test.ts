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

test('no attempt is due while none may be made, and one is soon after', async () => {
  const clock = new ManualClock();
  let mayReconnect = true;
  const delay = new ReconnectDelay(clock, () => mayReconnect);
  let attemptAtMs = 0;
  // As nats.js does it.
  const isDue = (): boolean => {
    const isNow = attemptAtMs + delay.delayMs() <= clock.monotonic();
    if (isNow) attemptAtMs = clock.monotonic();
    return isNow;
  };
  await clock.advance(1_000);
  delay.lost();
  expect(isDue()).toBe(true);
  mayReconnect = false;
  for (let looks = 0; looks < 100; looks++) {
    await clock.advance(500);
    expect(isDue()).toBe(false);
  }
  mayReconnect = true;
  expect(isDue()).toBe(true);
});
