import { describe, expect, it } from 'vitest';
import { isFailure, testKit } from '../actors/kit/mod.ts';
import { child, type Strategy, supervisor } from './mod.ts';
import { childrenOf, slow, start, taken, type Worker, worker } from './testing/worker.ts';

describe('a supervisor', () => {
  it('keeps its children running by restarting them', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const ref = await start(kit, { children: [a.spec] });
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('+a -a +a');
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('starts its children from left to right', async () => {
    await using kit = testKit();
    const log: string[] = [];
    await start(kit, { children: ['a', 'b', 'c'].map((id) => worker(log, id).spec) });
    expect(taken(log)).toBe('+a +b +c');
  });

  it('has started when all its children have, each after the one before', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const started = start(kit, { children: [slow(kit, log, 'a', 10), slow(kit, log, 'b', 10)] }).then(() =>
      log.push('up'),
    );
    await kit.advance(19);
    expect(taken(log)).toBe('+a');
    await kit.advance(1);
    await started;
    expect(taken(log)).toBe('+b up');
  });

  it('that is to end first ends its children, from right to left', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const ref = await start(kit, { children: ['a', 'b', 'c'].map((id) => worker(log, id).spec) });
    taken(log);
    await kit.system.stop(ref);
    expect(taken(log)).toBe('-c -b -a');
  });

  it('is itself ended by the supervisor above it, which waits until all below have ended', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const inner = supervisor({ children: [worker(log, 'a').spec, worker(log, 'b').spec] });
    const ref = await start(kit, { children: [worker(log, 'x').spec, child({ id: 'inner', start: inner })] });
    taken(log);
    await kit.system.stop(ref);
    expect(taken(log)).toBe('-b -a -x');
  });
});

/** Three children of a supervisor, and what they log when one of them gets an order. */
async function whenOne(of: { strategy?: Strategy; which: 0 | 1 | 2; order: 'crash' | 'exit' }): Promise<string> {
  await using kit = testKit();
  const log: string[] = [];
  const workers = ['a', 'b', 'c'].map((id) => worker(log, id, { restart: 'transient' }));
  const { strategy, which, order } = of;
  const children = workers.map(({ spec }) => spec);
  await start(kit, strategy === undefined ? { children } : { strategy, children });
  taken(log);
  workers[which]?.tell(order);
  await kit.settle();
  return taken(log);
}

describe('the strategy', () => {
  it('one_for_one restarts the child that ended and touches no other', async () => {
    expect(await whenOne({ strategy: 'one_for_one', which: 1, order: 'crash' })).toBe('-b +b');
  });

  it('is one_for_one if none is given', async () => {
    expect(await whenOne({ which: 1, order: 'crash' })).toBe('-b +b');
  });

  it('one_for_all ends all the others, then starts all', async () => {
    expect(await whenOne({ strategy: 'one_for_all', which: 1, order: 'crash' })).toBe('-b -c -a +a +b +c');
  });

  it('rest_for_one ends those that were started after the child, then starts it and those', async () => {
    expect(await whenOne({ strategy: 'rest_for_one', which: 1, order: 'crash' })).toBe('-b -c +b +c');
    expect(await whenOne({ strategy: 'rest_for_one', which: 0, order: 'crash' })).toBe('-a -c -b +a +b +c');
    expect(await whenOne({ strategy: 'rest_for_one', which: 2, order: 'crash' })).toBe('-c +c');
  });

  it('concerns no other child when the one that ended is not to be restarted', async () => {
    expect(await whenOne({ strategy: 'one_for_all', which: 1, order: 'exit' })).toBe('-b');
    expect(await whenOne({ strategy: 'rest_for_one', which: 1, order: 'exit' })).toBe('-b');
  });
});

describe('a child', () => {
  const fates = async (restart: Worker['spec']['restart'] | undefined): Promise<string[]> => {
    const outcomes: string[] = [];
    for (const order of ['exit', 'crash'] as const) {
      await using kit = testKit();
      const a = worker([], 'a', restart === undefined ? {} : { restart });
      const ref = await start(kit, { children: [a.spec] });
      a.tell(order);
      await kit.settle();
      outcomes.push(`${order}: ${(await childrenOf(kit, ref)).join()}`);
    }
    return outcomes;
  };

  it('that is permanent is always restarted', async () => {
    expect(await fates('permanent')).toEqual(['exit: a running', 'crash: a running']);
  });

  it('is permanent if its spec does not say', async () => {
    expect(await fates(undefined)).toEqual(['exit: a running', 'crash: a running']);
  });

  it('that is transient is restarted only if it ended other than in order', async () => {
    expect(await fates('transient')).toEqual(['exit: a stopped', 'crash: a running']);
  });

  it('that is transient is not restarted either when it was shut down from outside', async () => {
    await using kit = testKit();
    const a = worker([], 'a', { restart: 'transient' });
    const ref = await start(kit, { children: [a.spec] });
    await kit.system.stop(a.ref);
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });

  it('that is transient is restarted if it was killed from outside', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a', { restart: 'transient' });
    const ref = await start(kit, { children: [a.spec] });
    await kit.system.stop(a.ref, 0);
    await kit.settle();
    expect(taken(log)).toBe('+a -a +a');
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('that is temporary is never restarted', async () => {
    expect(await fates('temporary')).toEqual(['exit: ', 'crash: ']);
  });

  it.each(['one_for_all', 'rest_for_one'] as const)(
    'that is temporary is not restarted either when it was ended for a sibling, under %s',
    async (strategy) => {
      await using kit = testKit();
      const log: string[] = [];
      const a = worker(log, 'a');
      const children = [a.spec, worker(log, 'b', { restart: 'temporary' }).spec, worker(log, 'c').spec];
      const ref = await start(kit, { strategy, children });
      taken(log);
      a.tell('crash');
      await kit.settle();
      expect(taken(log)).toBe('-a -c -b +a +c');
      expect(await childrenOf(kit, ref)).toEqual(['a running', 'c running']);
    },
  );
});

describe('more restarts than the intensity within a period', () => {
  it('end all children, from right to left, and then the supervisor', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const workers = ['a', 'b', 'c'].map((id) => worker(log, id));
    const ref = await start(kit, { intensity: 2, periodMs: 100, children: workers.map(({ spec }) => spec) });
    const ended = kit.system.ended(ref).then(() => log.push('over'));
    for (const one of workers) {
      taken(log);
      one.tell('crash');
      await kit.settle();
    }
    await ended;
    expect(taken(log)).toBe('-c -b -a over');
  });

  it('are counted over the last period only', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await start(kit, { intensity: 1, periodMs: 100, children: [a.spec] });
    for (let crash = 0; crash < 5; crash++) {
      a.tell('crash');
      await kit.advance(101);
    }
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('are more than 1 within 5 seconds if nothing is said', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await kit.system.start(supervisor({ children: [a.spec] }));
    a.tell('crash');
    await kit.advance(5_001);
    a.tell('crash');
    await kit.advance(4_999);
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
    const ended = kit.system.ended(ref);
    a.tell('crash');
    await ended;
  });

  it('are the first one if the intensity is 0', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const b = worker(log, 'b', { restart: 'temporary' });
    const ref = await start(kit, { intensity: 0, children: [a.spec, b.spec] });
    const ended = kit.system.ended(ref);
    // An end without a restart does not count.
    b.tell('crash');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
    a.tell('crash');
    await ended;
    expect(taken(log)).toBe('+a +b -b -a');
  });

  it('end the supervisor as failed (a deviation: in OTP it has shut down in order)', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await start(kit, { intensity: 0, periodMs: 100, children: [a.spec] });
    const ended = kit.system.ended(ref);
    a.tell('crash');
    const exit = await ended;
    expect(isFailure('SUPERVISOR_INTENSITY')(exit)).toBe(true);
    expect(exit.reason).toMatchObject({
      error: {
        message: 'child "a" ended again: 1 ends within 100 ms, 0 restarts are allowed (last: a crashed)',
        cause: { message: 'a crashed' },
      },
    });
  });

  it.each(['permanent', 'transient'] as const)('make the supervisor above restart it, if it is %s', async (restart) => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const inner = supervisor({ children: [a.spec, worker(log, 'b').spec], intensity: 0 });
    const ref = await start(kit, { children: [child({ id: 'inner', start: inner, restart })] });
    taken(log);
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-a -b +a +b');
    expect(await childrenOf(kit, ref)).toEqual(['inner running']);
  });

  it('or make the one above give up too', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const inner = supervisor({ children: [a.spec], intensity: 1 });
    const ref = await start(kit, { intensity: 0, children: [child({ id: 'inner', start: inner })] });
    const ended = kit.system.ended(ref);
    a.tell('crash');
    await kit.settle();
    a.tell('crash');
    expect(isFailure('SUPERVISOR_INTENSITY')(await ended)).toBe(true);
    expect(kit.system.tree().children).toEqual([]);
  });
});
