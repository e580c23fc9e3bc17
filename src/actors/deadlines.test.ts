import { expect, it } from 'vitest';
import { Deadlines, type Expiring } from './deadlines.ts';
import { ManualClock } from './kit/mod.ts';

it('asks that each have a time limit of their own leave nothing behind', () => {
  const deadlines = new Deadlines(new ManualClock());
  const first = deadlines.queueOf(1);
  expect(deadlines.queueOf(1)).toBe(first);
  deadlines.queueOf(2);
  // It was empty, and so it is not kept.
  expect(deadlines.queueOf(1)).not.toBe(first);
});

it('asks with the same time limit share a queue, also once it has been empty', () => {
  const deadlines = new Deadlines(new ManualClock());
  const queue = deadlines.queueOf(1);
  const ask = (): Expiring => ({ since: undefined, next: undefined, previous: undefined, expire: () => undefined });
  const first = ask();
  queue.add(first);
  queue.remove(first);
  queue.add(ask());
  deadlines.queueOf(2);
  expect(deadlines.queueOf(1)).toBe(queue);
});
