import { describe, expect, it } from 'vitest';
import { isFailure, testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../actors/mod.ts';
import {
  child,
  dynamicSupervisor,
  ignore,
  type SupervisorMessage,
  startChild,
  supervisor,
  terminateChild,
} from './mod.ts';
import { childrenOf, faulty, type Order, slow, start, taken, worker } from './testing/worker.ts';

const never = new Promise<never>(() => undefined);

describe('a message that a supervisor does not understand', () => {
  it.each([
    ['a supervisor', supervisor({ children: [] })],
    ['a dynamic supervisor', dynamicSupervisor({ template: { start: () => () => () => undefined } })],
  ])('is a dead letter, and does not end %s', async (_what, behaviour) => {
    await using kit = testKit();
    // Each has its own messages, and these are none of them.
    const ref = kit.system.spawn(behaviour as Behaviour<unknown>);
    const others = [
      null,
      5,
      {},
      { kind: 'zzz' },
      { kind: 'which-children' },
      { kind: 'start-child', replyTo: null },
      { kind: 'terminate-child', replyTo: 5 },
    ];
    for (const message of others) ref.tell(message);
    await kit.settle();
    expect(kit.failures).toEqual([]);
    const letters = kit.system.deadLetters.latest();
    expect(letters.map(({ why, message }) => [why, message])).toEqual(others.map((message) => ['invalid', message]));
    expect(letters[3]?.error).toMatchObject({ code: 'CONFIG_VALUE', message: expect.stringContaining('start-child') });
  });
});

describe('a restart', () => {
  it('puts the next incarnation behind the same ref', async () => {
    await using kit = testKit();
    const a = worker([], 'a');
    const ref = await start(kit, { children: [a.spec] });
    const before = a.ref;
    before.tell('crash');
    await kit.settle();
    expect(a.ref).toBe(before);
    before.tell('crash');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('that fails counts as one more, and is tried again until the intensity is used up', async () => {
    await using kit = testKit();
    const log: string[] = [];
    let starts = 0;
    const a = faulty(log, 'a', () => ++starts > 1);
    const ref = await start(kit, { children: [a.spec, worker(log, 'b').spec], intensity: 3 });
    const ended = kit.system.ended(ref);
    a.tell('crash');
    expect(isFailure('SUPERVISOR_INTENSITY')(await ended)).toBe(true);
    expect(taken(log)).toBe('+a +b -a !a !a !a -b');
  });

  it('that fails is tried again behind what has come meanwhile, so that a supervisor in trouble can be spoken to', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const speaks: { ref?: Ref<SupervisorMessage> } = {};
    // At its first start there is no supervisor to talk to yet.
    const a = faulty(log, 'a', () => speaks.ref?.tell({ kind: 'terminate-child', id: 'a' }) === true);
    const ref = await start(kit, { children: [a.spec] });
    speaks.ref = ref;
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('+a -a !a');
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });

  it('of all that fails at one child begins again with the first', async () => {
    await using kit = testKit();
    const log: string[] = [];
    let starts = 0;
    const a = worker(log, 'a');
    const b = faulty(log, 'b', () => ++starts === 2);
    const ref = await start(kit, { strategy: 'one_for_all', children: [a.spec, b.spec, worker(log, 'c').spec] });
    taken(log);
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-a -c -b +a !b -a +a +b +c');
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'b running', 'c running']);
  });

  it('of the rest that fails at one child goes on with that one', async () => {
    await using kit = testKit();
    const log: string[] = [];
    let starts = 0;
    const a = worker(log, 'a');
    const b = faulty(log, 'b', () => ++starts === 2);
    await start(kit, { strategy: 'rest_for_one', children: [a.spec, b.spec, worker(log, 'c').spec] });
    taken(log);
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-a -c -b +a !b +b +c');
  });

  it('of all counts once, also when several crash together', async () => {
    await using kit = testKit();
    const [a, b] = [worker([], 'a'), worker([], 'b')];
    const ref = await start(kit, { strategy: 'one_for_all', intensity: 1, children: [a.spec, b.spec] });
    a.tell('crash');
    b.tell('crash');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'b running']);
  });

  it('survives a child that crashes with its very first message, however the start was asked for', async () => {
    await using kit = testKit();
    let crashes = 0;
    const behaviour: Behaviour<string> = (context) => {
      if (crashes < 3) context.self.tell('crash');
      return () => {
        crashes += 1;
        throw new Error('boom');
      };
    };
    const ref = await start(kit, { children: [], intensity: 3 });
    await startChild(kit.system, ref, child({ id: 'a', start: behaviour }));
    await kit.settle();
    expect(crashes).toBe(3);
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });

  it('is not lost to a mailbox that is full', async () => {
    await using kit = testKit();
    const a = worker([], 'a', { backOff: { minMs: 10, maxMs: 10 } });
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const stuck = child({ id: 'stuck', start: () => opened.then(() => () => undefined) });
    const ref = await kit.system.start(supervisor({ children: [a.spec] }), { capacity: 1 });
    a.tell('crash');
    await kit.settle();
    ref.tell({ kind: 'start-child', spec: stuck });
    await kit.settle();
    ref.tell({ kind: 'delete-child', id: 'x' });
    expect(ref.tell({ kind: 'delete-child', id: 'x' })).toBe(false);
    await kit.advance(10);
    open();
    await kit.settle();
    expect(a.tell('exit')).toBe(true);
  });
});

describe('the event of a crash that comes late', () => {
  /**
   * The supervisor is busy with a slow start while the child crashes, so that `orders` reach it before the event does.
   */
  const crashBehind = async (...orders: SupervisorMessage[]) => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const ref = await start(kit, { children: [a.spec], intensity: 0 });
    ref.tell({ kind: 'start-child', spec: slow(kit, log, 'slow', 10) });
    await kit.settle();
    for (const order of orders) ref.tell(order);
    a.tell('crash');
    await kit.advance(10);
    return { log: taken(log), children: await childrenOf(kit, ref) };
  };

  it('does not restart a child that was terminated meanwhile', async () => {
    const { log, children } = await crashBehind({ kind: 'terminate-child', id: 'a' });
    expect(children).toEqual(['a stopped', 'slow running']);
    expect(log).toBe('+a -a +slow');
  });

  it('is not taken for a crash of the next incarnation', async () => {
    const { log, children } = await crashBehind(
      { kind: 'terminate-child', id: 'a' },
      { kind: 'restart-child', id: 'a' },
    );
    expect(children).toEqual(['a running', 'slow running']);
    expect(log).toBe('+a -a +slow +a');
  });

  it('is dealt with when what holds up the supervisor is done', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const ref = await start(kit, { children: [a.spec] });
    const started = startChild(kit.system, ref, slow(kit, log, 'slow', 10));
    await kit.settle();
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('+a -a');
    await kit.advance(10);
    await started;
    expect(taken(log)).toBe('+slow +a');
  });
});

describe('the stop of a supervisor', () => {
  it('is not held up by a child that never finishes starting', async () => {
    await using kit = testKit();
    const stuck = child({ id: 'stuck', start: () => never, shutdown: 50 });
    const first = kit.system.spawn(supervisor({ children: [stuck] }));
    const later = await start(kit, { children: [] });
    later.tell({ kind: 'start-child', spec: stuck });
    await kit.settle();
    const stopped = Promise.all([kit.system.stop(first), kit.system.stop(later)]);
    await kit.advance(50);
    await stopped;
    expect(kit.system.tree().children).toEqual([]);
  });

  it('is not held up by a restart that never finishes, and does not restart once more', async () => {
    await using kit = testKit();
    let starts = 0;
    const behaviour: Behaviour<Order> = (context) => {
      if (++starts > 1) return never;
      context.self.tell('exit');
      return () => context.exit();
    };
    const ref = await start(kit, { children: [child({ id: 'a', start: behaviour, shutdown: 50 })] });
    await kit.settle();
    const stopped = kit.system.stop(ref);
    await kit.advance(50);
    await stopped;
    expect(starts).toBe(2);
  });

  it('in the midst of a restart of all starts nobody more', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const b = worker(log, 'b', { shutdown: 50 });
    const ref = await start(kit, { strategy: 'one_for_all', children: [a.spec, b.spec, worker(log, 'c').spec] });
    b.tell('hang');
    a.tell('crash');
    await kit.settle();
    taken(log);
    const stopped = kit.system.stop(ref);
    await kit.advance(50);
    await stopped;
    expect(taken(log)).toBe('-b');
  });

  it('between two starts of a restart of all ends those that run', async () => {
    await using kit = testKit();
    const log: string[] = [];
    let starts = 0;
    const a = worker(log, 'a');
    const b = child<Order>({ id: 'b', start: () => (++starts > 1 ? never : () => undefined), shutdown: 50 });
    const ref = await start(kit, { strategy: 'one_for_all', children: [a.spec, b, worker(log, 'c').spec] });
    a.tell('crash');
    await kit.settle();
    taken(log);
    const stopped = kit.system.stop(ref);
    await kit.advance(50);
    await stopped;
    expect(taken(log)).toBe('-a');
  });
});

describe('a child that is not wanted', () => {
  it('does not take the supervisor along when its clean-up fails', async () => {
    await using kit = testKit();
    const sore: Behaviour<Order> = (context) => {
      context.onStop(() => {
        throw new Error('no way out');
      });
      return ignore;
    };
    const ref = await start(kit, { children: [child({ id: 'sore', start: sore }), worker([], 'a').spec] });
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['sore stopped', 'a running']);
  });
});

describe('a group that waits for a restart', () => {
  it.each(['one_for_all', 'rest_for_one'] as const)(
    'stays stopped if the child that it waits for is terminated (%s)',
    async (strategy) => {
      await using kit = testKit();
      const log: string[] = [];
      const a = worker(log, 'a', { backOff: { minMs: 100, maxMs: 100, jitter: 0 } });
      const children = [a.spec, worker(log, 'b').spec, worker(log, 'c').spec];
      const ref = await start(kit, { strategy, children });
      a.tell('crash');
      await kit.settle();
      taken(log);
      await terminateChild(kit.system, ref, 'a');
      await kit.advance(100);
      expect(taken(log)).toBe('');
      expect(await childrenOf(kit, ref)).toEqual(['a stopped', 'b stopped', 'c stopped']);
    },
  );
});
