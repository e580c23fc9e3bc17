import { describe, expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import {
  checkChildSpecs,
  child,
  childSpec,
  countChildren,
  deleteChild,
  ignore,
  restartChild,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from './mod.ts';
import { childrenOf, faulty, start, taken, worker } from './testing/worker.ts';

// OTP's `running` and `restarting`.
const isRunning = { id: 'a', state: 'running' };
const isRestarting = { id: 'a', state: 'restarting' };
const unknown = { code: 'SUPERVISOR_CHILD_UNKNOWN', message: 'no child with the id "x" is supervised' };

describe('start-child', () => {
  it('adds a spec and starts its child', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const ref = await start(kit, { children: [worker(log, 'a').spec] });
    const b = worker(log, 'b');
    expect(await startChild(kit.system, ref, b.spec)).toBe(b.ref);
    expect(taken(log)).toBe('+a +b');
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'b running']);
  });

  it('makes a child like any other: it is restarted, and ended first of all', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const ref = await start(kit, { children: [worker(log, 'a').spec] });
    const b = worker(log, 'b');
    await startChild(kit.system, ref, b.spec);
    taken(log);
    b.tell('crash');
    await kit.settle();
    await kit.system.stop(ref);
    expect(taken(log)).toBe('-b +b -b -a');
  });

  it('is refused while there is a child with that id, whether it runs or not; its spec is discarded', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const ref = await start(kit, { children: [worker(log, 'a').spec] });
    const again = worker(log, 'a', { restart: 'temporary' }).spec;
    // OTP's `already_started`, with the child, and `already_present`.
    const [a] = await whichChildren(kit.system, ref);
    const started = startChild(kit.system, ref, again);
    await expect(started).rejects.toMatchObject({ code: 'SUPERVISOR_CHILD_RUNNING', ref: a?.ref });
    await terminateChild(kit.system, ref, 'a');
    await expect(startChild(kit.system, ref, again)).rejects.toMatchObject({ code: 'SUPERVISOR_CHILD_EXISTS' });
    expect(taken(log)).toBe('+a -a');
    expect(await childSpec(kit.system, ref, 'a')).toMatchObject({ restart: 'permanent' });
  });

  it('discards the spec of a child that does not start, and says why', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [] });
    const failed = { code: 'SUPERVISOR_START_FAILED', message: 'child "a" did not start: a cannot start' };
    await expect(startChild(kit.system, ref, faulty([], 'a', () => true).spec)).rejects.toMatchObject(failed);
    expect(await childrenOf(kit, ref)).toEqual([]);
  });

  it('keeps the spec of a child that is not wanted, unless it is temporary', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [] });
    expect(await startChild(kit.system, ref, child({ id: 'a', start: () => ignore }))).toBeUndefined();
    const temporary = child({ id: 'b', start: () => ignore, restart: 'temporary' });
    expect(await startChild(kit.system, ref, temporary)).toBeUndefined();
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });

  it('is forgotten when the supervisor itself is restarted, and so is a deletion', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const b = worker([], 'b', { restart: 'transient' });
    const inner = supervisor({ intensity: 0, children: [a.spec, b.spec] });
    const above = await start(kit, { children: [child({ id: 'inner', start: inner })] });
    const [info] = await whichChildren(kit.system, above);
    // The supervisor was made two lines above.
    const ref = info?.ref as Parameters<typeof startChild>[1];
    await startChild(kit.system, ref, worker([], 'c').spec);
    await terminateChild(kit.system, ref, 'b');
    await deleteChild(kit.system, ref, 'b');
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'c running']);
    a.tell('crash');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'b running']);
  });
});

describe('terminate-child', () => {
  it('ends a child and keeps its spec', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const ref = await start(kit, { children: [worker(log, 'a').spec, worker(log, 'b').spec] });
    taken(log);
    await terminateChild(kit.system, ref, 'a');
    expect(taken(log)).toBe('-a');
    expect(await childrenOf(kit, ref)).toEqual(['a stopped', 'b running']);
  });

  it.each(['one_for_all', 'rest_for_one'] as const)(
    'leaves a child that the supervisor may restart later, for a sibling under %s',
    async (strategy) => {
      await using kit = testKit();
      const a = worker([], 'a');
      const ref = await start(kit, { strategy, children: [a.spec, worker([], 'b').spec] });
      await terminateChild(kit.system, ref, 'b');
      a.tell('crash');
      await kit.settle();
      expect(await childrenOf(kit, ref)).toEqual(['a running', 'b running']);
    },
  );

  it('forgets a temporary child', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [worker([], 'a', { restart: 'temporary' }).spec] });
    await terminateChild(kit.system, ref, 'a');
    expect(await childrenOf(kit, ref)).toEqual([]);
    await expect(restartChild(kit.system, ref, 'a')).rejects.toMatchObject({ code: 'SUPERVISOR_CHILD_UNKNOWN' });
  });

  it('does not mind a child that has ended already', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [worker([], 'a').spec] });
    await terminateChild(kit.system, ref, 'a');
    await terminateChild(kit.system, ref, 'a');
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });

  it('is refused for an id that is not known', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [] });
    await expect(terminateChild(kit.system, ref, 'x')).rejects.toMatchObject(unknown);
  });

  it('ends a child also if that fails on its way out, and nothing else', async () => {
    await using kit = testKit();
    const sore = child({
      id: 'sore',
      start: (context) => {
        context.onStop(() => {
          throw new Error('no way out');
        });
        return () => undefined;
      },
    });
    const ref = await start(kit, { children: [worker([], 'a').spec, sore] });
    await terminateChild(kit.system, ref, 'sore');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'sore stopped']);
  });
});

describe('restart-child', () => {
  it('starts a child that was stopped', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const ref = await start(kit, { children: [a.spec] });
    await terminateChild(kit.system, ref, 'a');
    expect(await restartChild(kit.system, ref, 'a')).toBe(a.ref);
    expect(taken(log)).toBe('+a -a +a');
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('starts one that ended in order, too', async () => {
    await using kit = testKit();
    const a = worker([], 'a', { restart: 'transient' });
    const ref = await start(kit, { children: [a.spec] });
    a.tell('exit');
    await kit.settle();
    await restartChild(kit.system, ref, 'a');
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('is refused for an id that is not known', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [] });
    await expect(restartChild(kit.system, ref, 'x')).rejects.toMatchObject(unknown);
  });

  it('is refused while the child runs or is about to be restarted', async () => {
    await using kit = testKit();
    const a = worker([], 'a', { backOff: { minMs: 100, maxMs: 100 } });
    const ref = await start(kit, { children: [a.spec] });
    const running = { code: 'SUPERVISOR_CHILD_RUNNING' };
    await expect(restartChild(kit.system, ref, 'a')).rejects.toMatchObject({ ...running, details: isRunning });
    a.tell('crash');
    await kit.settle();
    await expect(restartChild(kit.system, ref, 'a')).rejects.toMatchObject({ ...running, details: isRestarting });
  });

  it('leaves the child stopped when it is not wanted', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [child({ id: 'a', start: () => ignore })] });
    expect(await restartChild(kit.system, ref, 'a')).toBeUndefined();
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });

  it('says why a child does not start, and keeps its spec', async () => {
    await using kit = testKit();
    let fails = false;
    const ref = await start(kit, { children: [faulty([], 'a', () => fails).spec] });
    await terminateChild(kit.system, ref, 'a');
    fails = true;
    const failed = { code: 'SUPERVISOR_START_FAILED', message: 'child "a" did not start: a cannot start' };
    await expect(restartChild(kit.system, ref, 'a')).rejects.toMatchObject(failed);
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });
});

describe('delete-child', () => {
  it('forgets the spec of a child that does not run', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [worker([], 'a').spec] });
    await terminateChild(kit.system, ref, 'a');
    await deleteChild(kit.system, ref, 'a');
    expect(await childrenOf(kit, ref)).toEqual([]);
  });

  it('is refused while the child runs or is about to be restarted', async () => {
    await using kit = testKit();
    const a = worker([], 'a', { backOff: { minMs: 100, maxMs: 100 } });
    const ref = await start(kit, { children: [a.spec] });
    const running = { code: 'SUPERVISOR_CHILD_RUNNING' };
    await expect(deleteChild(kit.system, ref, 'a')).rejects.toMatchObject({ ...running, details: isRunning });
    a.tell('crash');
    await kit.settle();
    await expect(deleteChild(kit.system, ref, 'a')).rejects.toMatchObject({ ...running, details: isRestarting });
  });

  it('is refused for an id that is not known', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [] });
    await expect(deleteChild(kit.system, ref, 'x')).rejects.toMatchObject(unknown);
  });
});

describe('child-spec', () => {
  it('shows a spec with everything that was left to defaults', async () => {
    await using kit = testKit();
    const inner = child({ id: 'inner', start: supervisor({ children: [] }) });
    const ref = await start(kit, { children: [worker([], 'a').spec, inner] });
    expect(await childSpec(kit.system, ref, 'a')).toMatchObject({
      id: 'a',
      restart: 'permanent',
      significant: false,
      shutdown: 5_000,
      type: 'worker',
    });
    expect(await childSpec(kit.system, ref, 'inner')).toMatchObject({ shutdown: 'infinite', type: 'supervisor' });
  });

  it('shows nothing for an id that is not known', async () => {
    await using kit = testKit();
    expect(await childSpec(kit.system, await start(kit, { children: [] }), 'x')).toBeUndefined();
  });
});

describe('which-children', () => {
  it('lists id, ref and type of each: one that runs, one about to be restarted, one that is stopped', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const b = worker([], 'b', { backOff: { minMs: 100, maxMs: 100, jitter: 0 } });
    const inner = child({ id: 'inner', start: supervisor({ children: [] }) });
    const ref = await start(kit, { children: [a.spec, b.spec, inner] });
    b.tell('crash');
    await terminateChild(kit.system, ref, 'inner');
    await kit.advance(40);
    const [first, second, third] = await whichChildren(kit.system, ref);
    expect(first).toEqual({
      id: 'a',
      state: 'running',
      type: 'worker',
      restart: 'permanent',
      significant: false,
      ref: a.ref,
    });
    expect(second).toMatchObject({ id: 'b', state: 'restarting', restartInMs: 60, type: 'worker' });
    expect(third).toMatchObject({ id: 'inner', state: 'stopped', type: 'supervisor' });
  });
});

describe('count-children', () => {
  it('counts specs, those that run, and supervisors and workers whether they run or not', async () => {
    await using kit = testKit();
    const inner = child({ id: 'inner', start: supervisor({ children: [] }) });
    const ref = await start(kit, { children: [worker([], 'a').spec, worker([], 'b').spec, inner] });
    await terminateChild(kit.system, ref, 'inner');
    await terminateChild(kit.system, ref, 'b');
    expect(await countChildren(kit.system, ref)).toEqual({ specs: 3, active: 1, supervisors: 1, workers: 2 });
  });
});

describe('the check of specs', () => {
  it('passes those that a supervisor would take', () => {
    checkChildSpecs([worker([], 'a').spec, worker([], 'b', { restart: 'temporary', significant: true }).spec]);
  });

  it('throws for those that it would refuse, with its auto-shutdown if that is given', () => {
    const significant = worker([], 'a', { restart: 'temporary', significant: true }).spec;
    checkChildSpecs([significant], 'any_significant');
    expect(() => checkChildSpecs([significant], 'never')).toThrow(/`autoShutdown` of its supervisor is `never`/);
    expect(() => checkChildSpecs([worker([], 'a', { significant: true }).spec])).toThrow(/transient or temporary/);
    expect(() => checkChildSpecs([significant, significant])).toThrow(/"a" twice/);
  });
});

describe('calls', () => {
  it('are carried out one after the other, in the order in which they came', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const ref = await start(kit, { children: [] });
    const { spec } = worker(log, 'a');
    ref.tell({ kind: 'start-child', spec });
    ref.tell({ kind: 'terminate-child', id: 'a' });
    ref.tell({ kind: 'restart-child', id: 'a' });
    ref.tell({ kind: 'terminate-child', id: 'a' });
    ref.tell({ kind: 'delete-child', id: 'a' });
    expect(await childrenOf(kit, ref)).toEqual([]);
    expect(taken(log)).toBe('+a -a +a -a');
  });
});
