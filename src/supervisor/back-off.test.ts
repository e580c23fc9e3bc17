import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import { systemRandom } from '../actors/mod.ts';
import { failuresNow, waitMs } from './back-off.ts';
import { restartChild, terminateChild, whichChildren } from './mod.ts';
import { childrenOf, faulty, start, taken, worker } from './testing/worker.ts';

const backOff = { minMs: 100, maxMs: 1_000, factor: 3, jitter: 0 };

describe('the wait of a back-off', () => {
  it('grows by its factor with each failure in a row, up to its limit', () => {
    expect([1, 2, 3, 4, 2_000].map((failures) => waitMs(backOff, failures, 0))).toEqual([100, 300, 900, 1_000, 1_000]);
  });

  it('doubles, and leaves a fifth to chance, if nothing is said', () => {
    const { minMs, maxMs } = backOff;
    expect([1, 2, 3].map((failures) => waitMs({ minMs, maxMs }, failures, 0))).toEqual([100, 200, 400]);
    expect(waitMs({ minMs, maxMs }, 1, 1)).toBe(80);
  });

  it('is never longer than its limit, nor shorter than chance may make it, for any figures', () => {
    const figures = fc.record({
      minMs: fc.integer({ min: 1, max: 10_000 }),
      more: fc.nat({ max: 100_000 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        figures,
        fc.integer({ min: 1, max: 5_000 }),
        chance,
        ({ minMs, more, factor, jitter }, failures, luck) => {
          const ms = waitMs({ minMs, maxMs: minMs + more, factor, jitter }, failures, luck);
          expect(ms).toBeLessThanOrEqual(minMs + more);
          expect(ms).toBeGreaterThanOrEqual(minMs * (1 - jitter) - 1e-9);
        },
      ),
    );
  });

  it('begins anew once the child has lived as long as the longest wait, or as it says', () => {
    expect(failuresNow(backOff, 4, 999)).toBe(5);
    expect(failuresNow(backOff, 4, 1_000)).toBe(1);
    expect(failuresNow({ ...backOff, resetMs: 10 }, 4, 10)).toBe(1);
    expect(failuresNow(undefined, 4, 10)).toBe(0);
  });
});

describe('a supervisor with a back-off', () => {
  it('restarts a child after the wait, which can be seen meanwhile', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const ref = await start(kit, { backOff, children: [a.spec] });
    a.tell('crash');
    await kit.advance(99);
    expect(taken(log)).toBe('+a -a');
    expect(await whichChildren(kit.system, ref)).toMatchObject([{ id: 'a', state: 'restarting', restartInMs: 1 }]);
    await kit.advance(1);
    expect(taken(log)).toBe('+a');
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('waits longer with each crash in a row, and begins anew after a child has lived for a while', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    await start(kit, { backOff, children: [a.spec] });
    const waitedMs = async (): Promise<number> => {
      taken(log);
      a.tell('crash');
      await kit.settle();
      const sinceMs = kit.clock.monotonic();
      while (taken(log) !== '+a') await kit.advance(100);
      return kit.clock.monotonic() - sinceMs;
    };
    expect([await waitedMs(), await waitedMs(), await waitedMs()]).toEqual([100, 300, 900]);
    await kit.advance(1_000);
    expect(await waitedMs()).toBe(100);
  });

  it('waits longer with each restart that fails, too', async () => {
    await using kit = testKit();
    const log: string[] = [];
    let starts = 0;
    const a = faulty(log, 'a', () => [2, 3].includes(++starts));
    await start(kit, { backOff, children: [a.spec] });
    a.tell('crash');
    await kit.advance(100);
    expect(taken(log)).toBe('+a -a !a');
    await kit.advance(299);
    expect(taken(log)).toBe('');
    await kit.advance(1);
    expect(taken(log)).toBe('!a');
    await kit.advance(900);
    expect(taken(log)).toBe('+a');
  });

  it('deals with the crashes of others while one waits', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a', { backOff: { ...backOff, minMs: 1_000 } });
    const b = worker(log, 'b', { backOff });
    const c = worker(log, 'c');
    const ref = await start(kit, { children: [a.spec, b.spec, c.spec] });
    for (const one of [a, b, c]) one.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('+a +b +c -a -b -c +c');
    expect(await childrenOf(kit, ref)).toEqual(['a restarting', 'b restarting', 'c running']);
    await kit.advance(100);
    expect(taken(log)).toBe('+b');
    await kit.advance(900);
    expect(taken(log)).toBe('+a');
  });

  it('takes the chance of its waits from the source that it is given', async () => {
    await using kit = testKit();
    const chances = [0.5, 0.25];
    const random = (): number => chances.shift() ?? 0;
    const [a, b] = [worker([], 'a'), worker([], 'b')];
    const ref = await start(kit, { backOff: { ...backOff, jitter: 0.8 }, random, children: [a.spec, b.spec] });
    a.tell('crash');
    b.tell('crash');
    await kit.settle();
    const waits = (await whichChildren(kit.system, ref)).map(({ restartInMs }) => restartInMs);
    expect(waits).toEqual([60, 80]);
  });

  it('uses a chance of its own if it is given none: never longer than the limit', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await start(kit, { backOff: { minMs: 100, maxMs: 100 }, children: [a.spec] });
    a.tell('crash');
    await kit.advance(100);
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('cuts the wait short when it is stopped: nothing is started, no timer is left', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const ref = await start(kit, { backOff, children: [a.spec, worker(log, 'b').spec] });
    a.tell('crash');
    await kit.settle();
    taken(log);
    await kit.system.stop(ref);
    expect(kit.clock.pending).toBe(0);
    await kit.advance(1_000);
    expect(taken(log)).toBe('-b');
  });

  it('lets a child that waits be terminated', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const ref = await start(kit, { backOff, children: [a.spec] });
    a.tell('crash');
    await kit.settle();
    await terminateChild(kit.system, ref, 'a');
    await kit.advance(1_000);
    expect(taken(log)).toBe('+a -a');
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });

  it('counts each end against the intensity when it comes, and gives up while others wait', async () => {
    await using kit = testKit();
    const [a, b] = [worker([], 'a'), worker([], 'b')];
    const ref = await start(kit, { backOff, intensity: 1, children: [a.spec, b.spec] });
    const ended = kit.system.ended(ref);
    a.tell('crash');
    b.tell('crash');
    expect((await ended).reason).toMatchObject({ error: { code: 'SUPERVISOR_INTENSITY' } });
    expect(kit.clock.pending).toBe(0);
  });

  it('never gives up if the intensity has no limit', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await start(kit, { backOff, intensity: Number.POSITIVE_INFINITY, children: [a.spec] });
    for (let crash = 0; crash < 500; crash++) {
      a.tell('crash');
      await kit.advance(1_000);
    }
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });
});

describe('the jitter of a back-off', () => {
  it('is drawn from the chance of the system, unless the supervisor has one of its own', async () => {
    const waits: number[] = [];
    for (const own of [undefined, () => 0]) {
      await using kit = testKit({ random: { ...systemRandom, fraction: () => 0.5 } });
      const log: string[] = [];
      const a = worker(log, 'a');
      const flags = { backOff: { ...backOff, jitter: 1 }, ...(own === undefined ? {} : { random: own }) };
      await start(kit, { strategy: 'one_for_one', children: [a.spec], ...flags });
      a.tell('crash');
      await kit.settle();
      taken(log);
      let waitedMs = 0;
      for (; log.length === 0 && waitedMs < 200; waitedMs++) await kit.advance(1);
      waits.push(waitedMs);
    }
    expect(waits[0]).not.toBe(waits[1]);
    const jitter = { ...backOff, jitter: 1 };
    expect(waits).toEqual([waitMs(jitter, 1, 0.5), waitMs(jitter, 1, 0)]);
  });
});

describe('a back-off where several are restarted together', () => {
  it('ends the others at once, and starts all after the wait, from left to right', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const workers = ['a', 'b', 'c'].map((id) => worker(log, id));
    const children = workers.map(({ spec }) => spec);
    const ref = await start(kit, { strategy: 'one_for_all', backOff, children });
    taken(log);
    workers[1]?.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-b -c -a');
    expect(await childrenOf(kit, ref)).toEqual(['a restarting', 'b restarting', 'c restarting']);
    await kit.advance(100);
    expect(taken(log)).toBe('+a +b +c');
  });

  it('is not hurried by another end: whoever waits longest is waited for', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const b = worker(log, 'b', { backOff: { ...backOff, minMs: 900 } });
    const ref = await start(kit, {
      strategy: 'rest_for_one',
      backOff,
      children: [a.spec, b.spec, worker(log, 'c').spec],
    });
    b.tell('crash');
    await kit.settle();
    taken(log);
    a.tell('crash');
    await kit.advance(899);
    expect(taken(log)).toBe('-a');
    expect(await childrenOf(kit, ref)).toEqual(['a restarting', 'b restarting', 'c restarting']);
    await kit.advance(1);
    expect(taken(log)).toBe('+a +b +c');
  });

  it('counts from the beginning once somebody has restarted the child', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await start(kit, { backOff, children: [a.spec] });
    for (const waitedMs of [100, 300]) {
      a.tell('crash');
      await kit.settle();
      expect(await whichChildren(kit.system, ref)).toMatchObject([{ restartInMs: waitedMs }]);
      await kit.advance(waitedMs);
    }
    await terminateChild(kit.system, ref, 'a');
    await restartChild(kit.system, ref, 'a');
    a.tell('crash');
    await kit.settle();
    expect(await whichChildren(kit.system, ref)).toMatchObject([{ restartInMs: 100 }]);
  });

  it('goes on waiting with a child if another one that waits is terminated', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const [a, b] = [worker(log, 'a'), worker(log, 'b')];
    const ref = await start(kit, { backOff, children: [a.spec, b.spec] });
    for (const one of [a, b]) one.tell('crash');
    await kit.settle();
    await terminateChild(kit.system, ref, 'a');
    await kit.advance(100);
    expect(await childrenOf(kit, ref)).toEqual(['a stopped', 'b running']);
  });
});
