import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimingWheel, WHEEL_STEP_MS, type WheelEntry } from './timing-wheel.ts';

const TURN_MS = 1_024 * WHEEL_STEP_MS;

describe('a timing wheel', () => {
  it('finds an item due once, less than one step after its deadline and never before it', () => {
    const wheel = new TimingWheel<string>(0);
    wheel.add('a', 50);
    expect(wheel.due(49)).toEqual([]);
    expect(wheel.due(50 + WHEEL_STEP_MS)).toEqual(['a']);
    expect(wheel.due(60_000)).toEqual([]);
  });

  it('never returns an item that was removed; removing it again, or after it was due, does nothing', () => {
    const wheel = new TimingWheel<number>(0);
    const entries = [1, 2, 3].map((item) => wheel.add(item, 30));
    for (const entry of entries.slice(1, 2)) {
      wheel.remove(entry);
      wheel.remove(entry);
    }
    expect(wheel.due(100)).toEqual([1, 3]);
    for (const entry of entries) wheel.remove(entry);
    wheel.add(4, 130);
    expect(wheel.due(200)).toEqual([4]);
  });

  it('takes an item again that was due or removed', () => {
    const wheel = new TimingWheel<string>(0);
    wheel.remove(wheel.add('a', 30));
    wheel.add('a', 60);
    expect(wheel.due(100)).toEqual(['a']);
    wheel.add('a', 130);
    expect(wheel.due(200)).toEqual(['a']);
  });

  it('keeps an item whose deadline is several turns away', () => {
    const wheel = new TimingWheel<string>(0);
    wheel.add('a', 3 * TURN_MS + 7);
    for (let nowMs = 0; nowMs <= 3 * TURN_MS; nowMs += WHEEL_STEP_MS) expect(wheel.due(nowMs)).toEqual([]);
    expect(wheel.due(3 * TURN_MS + 2 * WHEEL_STEP_MS)).toEqual(['a']);
  });

  it('looks into each slot once it has stood still for a turn', () => {
    const wheel = new TimingWheel<number>(0);
    for (let step = 0; step < 1_024; step++) wheel.add(step, step * WHEEL_STEP_MS);
    expect(wheel.due(TURN_MS)).toHaveLength(1_024);
  });

  it('finds an item due at the next look when its deadline has passed, however long the wheel had stood still', () => {
    const wheel = new TimingWheel<string>(0);
    wheel.add('a', 5 * TURN_MS - 1_000);
    expect(wheel.due(5 * TURN_MS)).toEqual(['a']);
    wheel.add('b', 10);
    expect(wheel.due(5 * TURN_MS + WHEEL_STEP_MS)).toEqual(['b']);
  });

  it('gives each item once, never early, and at most a step late, however far time jumps', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), inMs: fc.integer({ min: -100, max: 40_000 }) }),
      fc.record({ kind: fc.constant('remove' as const), which: fc.nat(30) }),
      fc.record({ kind: fc.constant('move' as const), byMs: fc.oneof(fc.nat(50), fc.nat(60_000)) }),
    );
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.array(action, { maxLength: 60 }), (startMs, actions) => {
        let nowMs = startMs;
        const wheel = new TimingWheel<number>(nowMs);
        const due = new Map<number, number>();
        const entries: WheelEntry<number>[] = [];
        for (const step of actions) {
          if (step.kind === 'add') {
            // A deadline that has passed already is due from now on.
            due.set(entries.length, nowMs + Math.max(0, step.inMs));
            entries.push(wheel.add(entries.length, nowMs + step.inMs));
          } else if (step.kind === 'remove') {
            const entry = entries[step.which];
            if (entry !== undefined) wheel.remove(entry);
            due.delete(step.which);
          } else {
            nowMs += step.byMs;
            for (const item of wheel.due(nowMs)) {
              expect(due.get(item)).toBeLessThanOrEqual(nowMs);
              due.delete(item);
            }
            for (const deadlineMs of due.values()) expect(nowMs - deadlineMs).toBeLessThan(WHEEL_STEP_MS);
          }
        }
      }),
    );
  });
});
