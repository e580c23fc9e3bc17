import { describe, expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Behaviour } from '../actors/mod.ts';
import { type ChildOptions, child, ignore, startChild, supervisor, whichChildren } from './mod.ts';
import { childrenOf, faulty, type Order, obedient, start, taken, worker } from './testing/worker.ts';

describe('the id of a spec', () => {
  it('tells the children of a supervisor apart: two of the same are refused before anything is started', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const children = [worker(log, 'a').spec, worker(log, 'b').spec, worker(log, 'a').spec];
    await expect(start(kit, { children })).rejects.toMatchObject({
      code: 'SUPERVISOR_SPEC_INVALID',
      message: 'Expected each child to have an id of its own, got "a" twice',
    });
    expect(log).toEqual([]);
  });
});

describe('the start of a spec', () => {
  it('makes a child of the supervisor, which ends with it', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await start(kit, { children: [a.spec] });
    expect(a.ref.path).toBe(`${ref.path}/a`);
    await kit.system.stop(ref);
    expect(a.tell('exit')).toBe(false);
  });

  it('may say that the child is not wanted: its spec is kept, and nothing runs', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const start_: Behaviour<Order> = async (context) => {
      await obedient(log, 'a')(context);
      return ignore;
    };
    const children = [child({ id: 'a', start: start_ }), worker(log, 'b').spec];
    const ref = await start(kit, { children });
    await kit.settle();
    expect(taken(log)).toBe('+a -a +b');
    expect(await childrenOf(kit, ref)).toEqual(['a stopped', 'b running']);
  });

  it('may say so at once, too', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [child({ id: 'a', start: () => ignore })] });
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });

  it('of a temporary child that is not wanted is forgotten', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [child({ id: 'a', start: () => ignore, restart: 'temporary' })] });
    expect(await childrenOf(kit, ref)).toEqual([]);
  });

  it('that fails undoes the starts before it, from right to left, and fails the supervisor with its reason', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const c = faulty(log, 'c', () => true);
    const children = [worker(log, 'a').spec, worker(log, 'b').spec, c.spec, worker(log, 'd').spec];
    await expect(start(kit, { children })).rejects.toMatchObject({
      code: 'SUPERVISOR_START_FAILED',
      message: 'child "c" did not start: c cannot start',
      cause: { message: 'c cannot start' },
    });
    expect(taken(log)).toBe('+a +b !c -b -a');
    expect(kit.system.tree().children).toEqual([]);
  });
});

describe('the shutdown of a spec', () => {
  /** How many milliseconds the stop of a supervisor takes whose child hangs; undefined if more than an hour. */
  const stopMs = async (more: Partial<ChildOptions<Order>>): Promise<number | undefined> => {
    const kit = testKit();
    const a = worker([], 'a', more);
    const ref = await start(kit, { children: [a.spec] });
    a.tell('hang');
    await kit.settle();
    const beganMs = kit.clock.monotonic();
    let endedMs: number | undefined;
    void kit.system.stop(ref, Number.POSITIVE_INFINITY).then(() => {
      endedMs = kit.clock.monotonic() - beganMs;
    });
    await kit.advance(3_600_000);
    return endedMs;
  };

  it('brutal waits for nothing', async () => {
    expect(await stopMs({ shutdown: 'brutal' })).toBe(0);
  });

  it('in milliseconds asks the child to end, and gives it up when it has not by then', async () => {
    expect(await stopMs({ shutdown: 70 })).toBe(70);
  });

  it('in milliseconds does not wait longer than the child takes', async () => {
    await using kit = testKit();
    const a = worker([], 'a', { shutdown: 70 });
    const ref = await start(kit, { children: [a.spec] });
    await kit.system.stop(ref);
    expect(kit.clock.monotonic()).toBe(0);
  });

  it('infinite waits for ever, for a worker too', async () => {
    expect(await stopMs({ shutdown: 'infinite' })).toBeUndefined();
  });

  it('is 5 seconds for a worker if nothing is said', async () => {
    expect(await stopMs({})).toBe(5_000);
  });

  it('is infinite for a supervisor, so that all below it have the time of their own specs', async () => {
    await using kit = testKit();
    const slow = [1, 2, 3].map((n) => worker([], `w${n}`, { shutdown: 40_000 }));
    const inner = supervisor({ children: slow.map(({ spec }) => spec) });
    const ref = await start(kit, { children: [child({ id: 'inner', start: inner })] });
    for (const one of slow) one.tell('hang');
    await kit.settle();
    const stopped = kit.system.stop(ref, Number.POSITIVE_INFINITY);
    await kit.advance(120_000);
    await stopped;
    expect(kit.failures.map(({ path }) => path.split('/').at(-1))).toEqual(['w3', 'w2', 'w1']);
  });

  it('holds for those below a supervisor that ends by itself, too', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a', { shutdown: 40_000 });
    const b = worker(log, 'b');
    const inner = supervisor({ intensity: 0, children: [a.spec, b.spec] });
    await start(kit, { children: [child({ id: 'inner', start: inner })] });
    a.tell('hang');
    b.tell('crash');
    taken(log);
    await kit.advance(39_999);
    expect(taken(log)).toBe('-b');
    await kit.advance(1);
    expect(taken(log)).toBe('-a +a +b');
  });

  it('holds for children that are ended for a sibling', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const b = worker(log, 'b', { shutdown: 70 });
    await start(kit, { strategy: 'rest_for_one', children: [a.spec, b.spec] });
    b.tell('hang');
    a.tell('crash');
    taken(log);
    await kit.advance(69);
    expect(taken(log)).toBe('-a');
    await kit.advance(1);
    expect(taken(log)).toBe('-b +a +b');
  });
});

describe('the type of a child', () => {
  it('is worker, unless its start is that of a supervisor', async () => {
    await using kit = testKit();
    const inner = child({ id: 'inner', start: supervisor({ children: [] }) });
    const ref = await start(kit, { children: [worker([], 'a').spec, inner] });
    const types = (await whichChildren(kit.system, ref)).map(({ type }) => type);
    expect(types).toEqual(['worker', 'supervisor']);
  });
});

describe('a spec or a flag that makes no sense', () => {
  const backOff = { minMs: 10, maxMs: 100 };
  it.each([
    [{ intensity: -1 }, 'Expected `intensity` to be a whole number from 0 up, got `-1` (number)'],
    [{ intensity: 1.5 }, 'Expected `intensity` to be a whole number from 0 up, got `1.5` (number)'],
    [{ periodMs: 0 }, 'Expected `periodMs` to be a number of milliseconds above 0, got `0` (number)'],
    [
      { periodMs: Number.POSITIVE_INFINITY },
      'Expected `periodMs` to be a number of milliseconds above 0, got `Infinity` (number)',
    ],
    [{ backOff: { ...backOff, minMs: 0 } }, 'Expected `minMs` of a back-off to be more than 0, got `0` (number)'],
    [
      { backOff: { ...backOff, maxMs: 9 } },
      'Expected `maxMs` of a back-off to be from `minMs` (10) up, got `9` (number)',
    ],
    [{ backOff: { ...backOff, factor: 0 } }, 'Expected `factor` of a back-off to be from 1 up, got `0` (number)'],
    [{ backOff: { ...backOff, jitter: 2 } }, 'Expected `jitter` of a back-off to be from 0 to 1, got `2` (number)'],
    [{ backOff: { ...backOff, resetMs: -1 } }, 'Expected `resetMs` of a back-off to be from 0 up, got `-1` (number)'],
    [
      { intensity: Number.POSITIVE_INFINITY },
      'Expected a `backOff` of the supervisor beside an `intensity` without limit, got none',
    ],
  ])('%o is refused when the supervisor starts', async (flags, message) => {
    await using kit = testKit();
    const refused = { code: 'SUPERVISOR_SPEC_INVALID', message };
    await expect(start(kit, { ...flags, children: [] })).rejects.toMatchObject(refused);
  });

  it('is refused when a child is started, too', async () => {
    await using kit = testKit();
    const ref = await start(kit, { children: [] });
    const refused = { code: 'SUPERVISOR_SPEC_INVALID' };
    const { spec } = worker([], 'a', { shutdown: -1 });
    await expect(startChild(kit.system, ref, spec)).rejects.toMatchObject(refused);
    const other = worker([], 'a', { backOff: { minMs: 5, maxMs: 1 } });
    await expect(startChild(kit.system, ref, other.spec)).rejects.toMatchObject(refused);
  });
});
