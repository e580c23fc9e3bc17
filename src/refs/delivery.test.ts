import { expect, it, onTestFinished } from 'vitest';
import { createSystem, type Ref } from '../actors/mod.ts';
import { Delivery } from './delivery.ts';

it('a message that may wait does so before an adapter too, whose actor has no room', async () => {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const delivery = new Delivery({ onRoom: () => undefined, refuse: () => undefined, onDefect: () => undefined });
  const seen: string[] = [];
  let adapter: Ref<number> | undefined;
  system.spawn<string>(
    (context) => {
      adapter = context.adapt<number>((n) => `number ${n}`);
      return (message) => void seen.push(message);
    },
    { capacity: 1 },
  );
  if (adapter === undefined) throw new Error('it has been made at the start');
  for (let n = 0; n < 3; n++) delivery.deliver(7, adapter, n, true);
  await expect.poll(() => seen).toEqual(['number 0', 'number 1', 'number 2']);
  expect(system.deadLetters.count).toBe(0);
});

it('the other end is told once that a mailbox is full, and once that it has room, however many messages wait', async () => {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const told: boolean[] = [];
  const delivery = new Delivery({
    onRoom: (to, hasRoom) => {
      expect(to).toBe(7);
      told.push(hasRoom);
    },
    refuse: (path) => expect.unreachable(path),
    onDefect: (_path, error) => expect.unreachable(String(error)),
  });
  const seen: number[] = [];
  const narrow = system.spawn<number>(() => (n) => void seen.push(n), { capacity: 1 });
  for (let n = 0; n < 10; n++) delivery.deliver(7, narrow, n, true);
  await expect.poll(() => seen.length).toBe(10);
  await new Promise(setImmediate);
  expect(told).toEqual([false, true]);
});

it('a message that may not wait is refused while another one waits: it does not overtake it', async () => {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const refused: unknown[] = [];
  const delivery = new Delivery({
    onRoom: () => undefined,
    refuse: (path, message) => refused.push([path, message]),
    onDefect: (_path, error) => expect.unreachable(String(error)),
  });
  const seen: number[] = [];
  let go = (): void => undefined;
  const slow = system.spawn<number>(
    () => (n) => {
      seen.push(n);
      return new Promise<void>((resolve) => (go = resolve));
    },
    { name: 'slow', capacity: 1 },
  );
  delivery.deliver(7, slow, 1, true);
  delivery.deliver(7, slow, 2, true);
  await expect.poll(() => seen).toEqual([1]);
  // The first is in hand, so there would be room.
  delivery.deliver(7, slow, 3, false);
  expect(refused).toEqual([['/slow', 3]]);
  go();
  await expect.poll(() => seen).toEqual([1, 2]);
  delivery.deliver(7, slow, 4, false);
  go();
  await expect.poll(() => seen).toEqual([1, 2, 4]);
  go();
});
