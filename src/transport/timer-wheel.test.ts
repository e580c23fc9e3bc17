import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { TimerWheel, WheelEntry } from './timer-wheel.ts';

const STEP_MS = 20;

class Item extends WheelEntry {
  readonly id: number;

  constructor(id: number) {
    super();
    this.id = id;
  }
}

function wheelOf(clock: ManualClock) {
  const due = new Map<number, number>();
  const wheel = new TimerWheel<Item>(clock, STEP_MS, (item) => due.set(item.id, clock.monotonic()));
  return { wheel, due };
}

test('an entry is due at its deadline or one step later', async () => {
  const clock = new ManualClock();
  const { wheel, due } = wheelOf(clock);
  wheel.add(new Item(1), 50);
  await clock.advance(49);
  expect(due.size).toBe(0);
  await clock.advance(21);
  expect(due.get(1)).toBeGreaterThanOrEqual(50);
  expect(wheel.size).toBe(0);
});

test('a removed entry is never due, and removing it again does nothing', async () => {
  const clock = new ManualClock();
  const { wheel, due } = wheelOf(clock);
  const items = [1, 2, 3].map((id) => new Item(id));
  for (const item of items) wheel.add(item, 30);
  const [, second] = items;
  if (second !== undefined) {
    wheel.remove(second);
    wheel.remove(second);
  }
  expect(wheel.size).toBe(2);
  await clock.advance(100);
  expect([...due.keys()].sort()).toEqual([1, 3]);
});

test('of entries that are due together, one that another removes is not due any more, and may be added again', async () => {
  const clock = new ManualClock();
  const items = [1, 2, 3].map((id) => new Item(id));
  const due: number[] = [];
  const wheel = new TimerWheel<Item>(clock, STEP_MS, ({ id }) => {
    due.push(id);
    if (due.length > 1) return;
    const [first, ...others] = items.filter((item) => item.id !== id);
    for (const other of others) wheel.remove(other);
    if (first === undefined) return;
    wheel.remove(first);
    wheel.add(first, 100);
  });
  for (const item of items) wheel.add(item, 30);
  await clock.advance(60);
  expect(due).toHaveLength(1);
  expect(wheel.size).toBe(1);
  await clock.advance(200);
  expect(due).toHaveLength(2);
  expect(wheel.size).toBe(0);
});

test('no timer runs while there is nothing to wait for', async () => {
  const clock = new ManualClock();
  const { wheel } = wheelOf(clock);
  expect(clock.pending).toBe(0);
  wheel.add(new Item(1), 10);
  expect(clock.pending).toBe(1);
  await clock.advance(60);
  expect(clock.pending).toBe(0);
});

test('deadlines of several rounds of the wheel', async () => {
  const clock = new ManualClock();
  const { wheel, due } = wheelOf(clock);
  wheel.add(new Item(1), 3 * 1_024 * STEP_MS + 7);
  await clock.advance(3 * 1_024 * STEP_MS);
  expect(due.size).toBe(0);
  await clock.advance(2 * STEP_MS);
  expect(due.size).toBe(1);
});

test('any sequence of adding, removing and waiting: due once, never early, at most a step late', async () => {
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), ms: fc.integer({ min: 1, max: 40_000 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), ms: fc.nat(50) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(15_000) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const clock = new ManualClock({ settle: async () => undefined });
      const expected = new Map<number, { item: Item; atMs: number }>();
      const wheel = new TimerWheel<Item>(clock, STEP_MS, ({ id }) => {
        const atMs = expected.get(id)?.atMs ?? Number.NaN;
        expect(clock.monotonic()).toBeGreaterThanOrEqual(atMs);
        expect(clock.monotonic()).toBeLessThanOrEqual(atMs + 2 * STEP_MS);
        expected.delete(id);
      });
      for (const [id, { kind, ms }] of acts.entries()) {
        if (kind === 'wait') await clock.advance(ms);
        if (kind === 'add') {
          const item = new Item(id);
          expected.set(id, { item, atMs: clock.monotonic() + ms });
          wheel.add(item, ms);
        }
        const removed = kind === 'remove' ? expected.get(ms) : undefined;
        if (removed !== undefined) {
          wheel.remove(removed.item);
          expected.delete(ms);
        }
        expect(wheel.size).toBe(expected.size);
      }
      await clock.advance(41_000);
      expect(expected.size).toBe(0);
    }),
    { numRuns: 30 },
  );
});
