import { afterEach, expect, it, vi } from 'vitest';
import { Arrivals } from './arrivals.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('a round ends when all messages have arrived', async () => {
  const arrivals = new Arrivals();
  for (let round = 0; round < 3; round++) {
    await arrivals.round(2, () => {
      arrivals.arrive();
      queueMicrotask(arrivals.arrive);
    });
  }
});

it('a round that loses a message fails and makes no figure', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const arrivals = new Arrivals();
  const failed = expect(arrivals.round(2, arrivals.arrive)).rejects.toThrow('2 were sent and 1 completed');
  vi.advanceTimersByTime(60_000);
  await failed;
});

it('so does a round in which one arrives twice', async () => {
  const arrivals = new Arrivals();
  const round = arrivals.round(1, () => {
    arrivals.arrive();
    queueMicrotask(arrivals.arrive);
  });
  await expect(round).rejects.toThrow('1 were sent and 2 completed');
});
