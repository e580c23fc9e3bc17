import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExitReason } from '../actors/mod.ts';
import { type ChildExit, oneForOne, type RestartHistory } from './strategy.ts';

const normal: ExitReason = { kind: 'normal' };
const shutdown: ExitReason = { kind: 'shutdown' };
const error: ExitReason = { kind: 'error', error: { name: 'Error', code: 'INTERNAL', message: 'boom', details: {} } };
const often = { intensity: 10, periodMs: 1000 };

describe('one_for_one restarts', () => {
  const restarts = (restart: ChildExit['restart']) =>
    [normal, shutdown, error].map(
      (reason) => oneForOne(often, [], { id: 'a', restart, reason, nowMs: 0 }).action.kind === 'restart',
    );

  it('a permanent child whatever the reason of its end', () => {
    expect(restarts('permanent')).toEqual([true, true, true]);
  });

  it('a transient child after an error only', () => {
    expect(restarts('transient')).toEqual([false, false, true]);
  });

  it('a temporary child never, and forgets it', () => {
    expect(restarts('temporary')).toEqual([false, false, false]);
    const { action } = oneForOne(often, [], { id: 'a', restart: 'temporary', reason: error, nowMs: 0 });
    expect(action).toEqual({ kind: 'leave', id: 'a', forget: true });
  });
});

describe('restart intensity', () => {
  const crash = (nowMs: number): ChildExit => ({ id: 'a', restart: 'permanent', reason: error, nowMs });
  const actions = (intensity: number, periodMs: number, times: readonly number[]): string[] => {
    let history: RestartHistory = [];
    return times.map((nowMs) => {
      const decision = oneForOne({ intensity, periodMs }, history, crash(nowMs));
      history = decision.history;
      return decision.action.kind;
    });
  };

  it('of 0 allows no restart', () => {
    expect(actions(0, 1000, [5])).toEqual(['give-up']);
  });

  it('allows as many restarts within the period, and gives up at one more', () => {
    expect(actions(2, 1000, [0, 1, 2])).toEqual(['restart', 'restart', 'give-up']);
  });

  it('counts a restart that is exactly a period old, and none that is older', () => {
    expect(actions(1, 1000, [0, 1000])).toEqual(['restart', 'give-up']);
    expect(actions(1, 1000, [0, 1001])).toEqual(['restart', 'restart']);
  });

  it('agrees with the sentence "more than intensity restarts within a period" for any times', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 50 }), gaps, (intensity, periodMs, steps) => {
        let at = 0;
        const times = steps.map((gap) => (at += gap));
        const model = times.map((now, index) => {
          const within = times.slice(0, index + 1).filter((time) => now - time <= periodMs);
          return within.length > intensity ? 'give-up' : 'restart';
        });
        expect(actions(intensity, periodMs, times)).toEqual(model);
      }),
    );
  });

  it('remembers no more than it needs', () => {
    let history: RestartHistory = [];
    for (let nowMs = 0; nowMs < 1000; nowMs++)
      ({ history } = oneForOne({ intensity: 3, periodMs: 2 }, history, crash(nowMs)));
    expect(history.length).toBeLessThanOrEqual(4);
  });
});
