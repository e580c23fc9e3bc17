import { expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';
import { ManualClock } from './kit/mod.ts';

it('asks that each have a time limit of their own leave nothing behind', () => {
  const deadlines = new Deadlines(new ManualClock());
  const first = deadlines.queueOf(1);
  expect(deadlines.queueOf(1)).toBe(first);
  deadlines.queueOf(2);
  // It was empty, and so it is not kept.
  expect(deadlines.queueOf(1)).not.toBe(first);
});
