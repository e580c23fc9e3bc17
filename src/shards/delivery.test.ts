import { expect, it, onTestFinished } from 'vitest';
import { createSystem } from '../actors/mod.ts';
import { Delivery } from './delivery.ts';

it('the other end is told once that a mailbox is full, and once that it has room, however many messages wait', async () => {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const told: boolean[] = [];
  const delivery = new Delivery({
    onRoom: (to, hasRoom) => {
      expect(to).toBe(7);
      told.push(hasRoom);
    },
    onDefect: (_path, error) => expect.unreachable(String(error)),
  });
  const seen: number[] = [];
  const narrow = system.spawn<number>(() => (n) => void seen.push(n), { capacity: 1 });
  for (let n = 0; n < 10; n++) delivery.deliver(7, narrow, n, true);
  await expect.poll(() => seen.length).toBe(10);
  await new Promise(setImmediate);
  expect(told).toEqual([false, true]);
});
