import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExitReason } from '../actors/mod.ts';
import { type RestartHistory, withRestart } from './restart-limit.ts';
import { type ChildView, type Decision, decide, type SupervisorEvent, type Terms } from './strategy.ts';

const error: ExitReason = { kind: 'error', error: { name: 'Error', code: 'INTERNAL', message: 'boom', details: {} } };
const terms: Terms = {
  strategy: 'one_for_one',
  intensity: 10,
  periodMs: 1_000,
  autoShutdown: 'never',
  backOff: undefined,
  keepsSpecs: true,
};

function view(
  id: string,
  more: Partial<ChildView> & Partial<ChildView['rules'] & ChildView['trouble']> = {},
): [string, ChildView] {
  const { restart = 'permanent', significant = false, backOff, state = 'running', failures = 0, dueMs = 0 } = more;
  return [id, { id, rules: { restart, significant, backOff }, state, trouble: { failures, dueMs } }];
}

const exit = (id: string, nowMs = 0): SupervisorEvent => ({
  kind: 'exited',
  id,
  reason: error,
  nowMs,
  livedMs: 0,
  chance: 0,
});

describe('a decision', () => {
  it('about the end of a child that is not known is to do nothing', () => {
    expect(decide(terms, { children: new Map(), restarts: [{ atMs: 1 }] }, exit('a'))).toEqual({
      restarts: [{ atMs: 1 }],
      actions: [],
    });
  });

  it('to restart all leaves out what does not run, and what is temporary for good', () => {
    const children = new Map([
      view('a', { state: 'stopped' }),
      view('b'),
      view('c', { restart: 'temporary' }),
      view('d', { state: 'restarting' }),
    ]);
    const { actions } = decide({ ...terms, strategy: 'one_for_all' }, { children, restarts: [] }, exit('b'));
    expect(actions).toEqual([
      { do: 'stop', id: 'c' },
      { do: 'forget', id: 'c' },
      { do: 'start', ids: ['a', 'b', 'd'] },
    ]);
  });

  it('to restart after a wait says until when, and how many failures in a row that makes', () => {
    const backOff = { minMs: 10, maxMs: 100, jitter: 0 };
    const children = new Map([view('a', { failures: 2 }), view('b', { state: 'restarting', dueMs: 500 })]);
    const of = (strategy: Terms['strategy']): Decision =>
      decide({ ...terms, strategy, backOff }, { children, restarts: [] }, exit('a', 7));
    expect(of('one_for_one').actions).toEqual([{ do: 'wait', id: 'a', failures: 3, ids: ['a'], untilMs: 47 }]);
    expect(of('rest_for_one').actions).toEqual([{ do: 'wait', id: 'a', failures: 3, ids: ['a', 'b'], untilMs: 500 }]);
  });

  it('at the end of a wait starts who is due, and nobody who is not', () => {
    const children = new Map([
      view('a', { state: 'restarting', dueMs: 5 }),
      view('b', { state: 'restarting', dueMs: 6 }),
      view('c', { state: 'restarting', dueMs: 5 }),
      view('d', { state: 'stopped', dueMs: 5 }),
    ]);
    const due = (strategy: Terms['strategy'], id: string): Decision =>
      decide({ ...terms, strategy }, { children, restarts: [] }, { kind: 'due', id, dueMs: 5 });
    expect(due('one_for_one', 'a').actions).toEqual([{ do: 'start', ids: ['a'] }]);
    expect(due('one_for_all', 'a').actions).toEqual([{ do: 'start', ids: ['a', 'c'] }]);
    for (const id of ['b', 'd', 'unknown']) expect(due('one_for_all', id).actions).toEqual([]);
  });

  it('changes nothing that it was given', () => {
    const children = new Map([view('a')]);
    const restarts = Object.freeze([{ atMs: 1 }, { atMs: 2 }]);
    decide(terms, { children, restarts }, exit('a'));
    expect([...children]).toEqual([view('a')]);
  });
});

describe('restart intensity', () => {
  const outcomes = (intensity: number, periodMs: number, times: readonly number[]): string[] => {
    let restarts: RestartHistory = [];
    return times.map((nowMs) => {
      const state = { children: new Map([view('a')]), restarts };
      const decision = decide({ ...terms, intensity, periodMs }, state, exit('a', nowMs));
      restarts = decision.restarts;
      return decision.actions.map((action) => action.do).join();
    });
  };

  it('of 0 allows no restart', () => {
    expect(outcomes(0, 1_000, [5])).toEqual(['give-up']);
  });

  it('allows as many restarts within the period, and gives up at one more', () => {
    expect(outcomes(2, 1_000, [0, 1, 2])).toEqual(['start', 'start', 'give-up']);
  });

  it('counts a restart that is exactly a period old, and none that is older', () => {
    expect(outcomes(1, 1_000, [0, 1_000])).toEqual(['start', 'give-up']);
    expect(outcomes(1, 1_000, [0, 1_001])).toEqual(['start', 'start']);
  });

  it('agrees with the sentence "more than intensity restarts within a period" for any times', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 50 }), gaps, (intensity, periodMs, steps) => {
        let at = 0;
        const times = steps.map((gap) => (at += gap));
        const model = times.map((now, index) => {
          const within = times.slice(0, index + 1).filter((time) => now - time <= periodMs);
          return within.length > intensity ? 'give-up' : 'start';
        });
        expect(outcomes(intensity, periodMs, times)).toEqual(model);
      }),
    );
  });

  it('remembers no more than it needs', () => {
    const remembered = (intensity: number): number => {
      let restarts: RestartHistory = [];
      for (let nowMs = 0; nowMs < 1_000; nowMs++) {
        const state = { children: new Map([view('a')]), restarts };
        ({ restarts } = decide({ ...terms, intensity, periodMs: 2 }, state, exit('a', nowMs)));
      }
      return restarts.length;
    };
    expect(remembered(3)).toBeLessThanOrEqual(4);
    expect(remembered(Number.POSITIVE_INFINITY)).toBe(0);
  });
});

it('a loss that counts already lets restarts fall out of the period like any other', () => {
  const limit = { intensity: 3, periodMs: 100 };
  const history = [{ atMs: 0 }, { atMs: 90, lossId: 'x' }];
  expect(withRestart(limit, history, { atMs: 150, lossId: 'x' })).toEqual([{ atMs: 90, lossId: 'x' }]);
  expect(withRestart(limit, history, { atMs: 150, lossId: 'y' })).toHaveLength(2);
});

it('a child without a back-off that ends does not shorten the wait of another that is to start with it', () => {
  const children = new Map([view('a'), view('b', { state: 'restarting', dueMs: 500 })]);
  const { actions } = decide({ ...terms, strategy: 'one_for_all' }, { children, restarts: [] }, exit('a', 7));
  expect(actions).toEqual([{ do: 'wait', id: 'a', failures: 0, ids: ['a', 'b'], untilMs: 500 }]);
});
