import { describe, expect, it } from 'vitest';
import { isFailure, type TestKit, testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Context, Ref } from '../actors/mod.ts';
import {
  type ChildInfo,
  type ChildOptions,
  type ChildReply,
  child,
  type SupervisorMessage,
  supervisor,
} from './mod.ts';

const never = new Promise<never>(() => undefined);

type Order = 'crash' | 'exit' | 'hang';

/** A child that does as it is told, and notes its starts and ends. */
function worker(log: string[], id: string, more: Partial<ChildOptions<Order>> = {}) {
  let ref: Ref<Order> | undefined;
  const start: Behaviour<Order> = (context: Context<Order>) => {
    log.push(`+${id}`);
    context.onStop(() => void log.push(`-${id}`));
    return (order) => {
      if (order === 'crash') throw new Error(`${id} crashed`);
      if (order === 'hang') return never;
      context.exit();
      return undefined;
    };
  };
  const spec = child<Order>({ id, start, onRef: (own) => (ref = own), ...more });
  return { spec, tell: (order: Order) => ref?.tell(order) };
}

const ask = <R>(
  kit: TestKit,
  ref: Ref<SupervisorMessage>,
  message: (replyTo: Ref<R>) => SupervisorMessage,
): Promise<R> => kit.system.ask<SupervisorMessage, R>(ref, message, 60_000);

async function childrenOf(kit: TestKit, ref: Ref<SupervisorMessage>): Promise<string[]> {
  const list = await ask<readonly ChildInfo[]>(kit, ref, (replyTo) => ({ kind: 'which-children', replyTo }));
  return list.map(({ id, state }) => `${id} ${state}`);
}

describe('a supervisor', () => {
  it('starts its children left to right, each when the one before has started, and stops them right to left', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const slow: Behaviour<Order> = async (context) => {
      await new Promise<void>((resolve) => kit.clock.timer(10, resolve));
      log.push('+a');
      context.onStop(() => void log.push('-a'));
      return () => undefined;
    };
    const children = [child({ id: 'a', start: slow }), worker(log, 'b').spec, worker(log, 'c').spec];
    const ref = kit.system.spawn(supervisor({ strategy: 'one_for_one', children }));
    await kit.advance(10);
    await kit.system.stop(ref);
    expect(log).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
  });

  it('stops those before when a child cannot start, and says which and why', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const broken = child({
      id: 'broken',
      start: () => {
        throw new Error('no disk');
      },
    });
    const children = [worker(log, 'a').spec, worker(log, 'b').spec, broken, worker(log, 'c').spec];
    await expect(kit.system.start(supervisor({ strategy: 'one_for_one', children }))).rejects.toMatchObject({
      code: 'SUPERVISOR_START_FAILED',
      message: 'child "broken" did not start: no disk',
      cause: { message: 'no disk' },
    });
    expect(log).toEqual(['+a', '+b', '-b', '-a']);
  });

  it('restarts a child that crashed behind the same ref, and leaves the others alone', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const b = worker(log, 'b');
    const ref = await kit.system.start(
      supervisor({ strategy: 'one_for_one', children: [a.spec, b.spec], intensity: 3 }),
    );
    a.tell('crash');
    await kit.settle();
    a.tell('crash');
    await kit.settle();
    expect(log).toEqual(['+a', '+b', '-a', '+a', '-a', '+a']);
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'b running']);
  });

  it('gives up after more restarts than allowed within the period, and stops all children', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const b = worker(log, 'b');
    const spec = { strategy: 'one_for_one', children: [a.spec, b.spec], intensity: 1, periodMs: 100 } as const;
    const ref = await kit.system.start(supervisor(spec));
    const ended = kit.system.ended(ref);
    a.tell('crash');
    await kit.advance(101);
    a.tell('crash');
    await kit.settle();
    expect(kit.system.tree().children).toHaveLength(1);
    b.tell('crash');
    const exit = await ended;
    expect(isFailure('SUPERVISOR_INTENSITY')(exit)).toBe(true);
    expect(exit.reason).toMatchObject({
      error: { message: 'child "b" ended again: 2 ends within 100 ms, 1 restarts are allowed (last: b crashed)' },
    });
    expect(kit.system.tree().children).toEqual([]);
  });

  it('counts a restart that fails as one more', async () => {
    await using kit = testKit();
    let starts = 0;
    const start: Behaviour<string> = (context) => {
      if (++starts > 1) throw new Error('not again');
      context.self.tell('go');
      return () => context.exit();
    };
    const spec = { strategy: 'one_for_one', children: [child({ id: 'a', start })], intensity: 5 } as const;
    const ref = await kit.system.start(supervisor(spec));
    await kit.system.ended(ref);
    expect(starts).toBe(6);
  });

  it('is restarted with new children by a supervisor above it', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const inner = supervisor({ strategy: 'one_for_one', children: [a.spec], intensity: 0 });
    const children = [child({ id: 'inner', start: inner, restart: 'transient' })];
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children }));
    a.tell('crash');
    await kit.settle();
    expect(log).toEqual(['+a', '-a', '+a']);
    expect(await childrenOf(kit, ref)).toEqual(['inner running']);
  });

  it('keeps the spec of a transient child that ended in order, and forgets a temporary one', async () => {
    await using kit = testKit();
    const t = worker([], 'transient', { restart: 'transient' });
    const x = worker([], 'temporary', { restart: 'temporary' });
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [t.spec, x.spec] }));
    t.tell('exit');
    x.tell('crash');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['transient stopped']);
  });

  it('survives a child that crashes with its very first message, however the start was asked for', async () => {
    await using kit = testKit();
    let crashes = 0;
    const start: Behaviour<string> = (context) => {
      if (crashes < 3) context.self.tell('crash');
      return () => {
        crashes += 1;
        throw new Error('boom');
      };
    };
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [], intensity: 3 }));
    const spec = child({ id: 'a', start });
    const reply = await ask<ChildReply>(kit, ref, (replyTo) => ({ kind: 'start-child', spec, replyTo }));
    expect(reply.ok).toBe(true);
    await kit.settle();
    expect(crashes).toBe(3);
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
  });
});

describe('children that come and go', () => {
  it('are started, terminated, restarted and deleted by message', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const { spec } = worker(log, 'a');
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [] }));
    const say = <R>(message: (replyTo: Ref<R>) => SupervisorMessage): Promise<R> => ask(kit, ref, message);
    expect(await say((replyTo) => ({ kind: 'start-child', spec, replyTo }))).toMatchObject({ ok: true });
    expect(await say((replyTo) => ({ kind: 'delete-child', id: 'a', replyTo }))).toBe(false);
    expect(await say((replyTo) => ({ kind: 'terminate-child', id: 'a', replyTo }))).toBe(true);
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
    expect(await say((replyTo) => ({ kind: 'restart-child', id: 'a', replyTo }))).toMatchObject({ ok: true });
    expect(await childrenOf(kit, ref)).toEqual(['a running']);
    await say((replyTo) => ({ kind: 'terminate-child', id: 'a', replyTo }));
    expect(await say((replyTo) => ({ kind: 'delete-child', id: 'a', replyTo }))).toBe(true);
    expect(await childrenOf(kit, ref)).toEqual([]);
    expect(log).toEqual(['+a', '-a', '+a', '-a']);
  });

  it('are started and terminated also when nobody wants a reply', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [] }));
    ref.tell({ kind: 'start-child', spec: worker(log, 'a').spec });
    ref.tell({ kind: 'terminate-child', id: 'a' });
    ref.tell({ kind: 'restart-child', id: 'a' });
    ref.tell({ kind: 'terminate-child', id: 'a' });
    ref.tell({ kind: 'delete-child', id: 'a' });
    expect(await childrenOf(kit, ref)).toEqual([]);
    expect(log).toEqual(['+a', '-a', '+a', '-a']);
  });

  it('are refused with a code', async () => {
    await using kit = testKit();
    const { spec } = worker([], 'a');
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [spec] }));
    const start = await ask(kit, ref, (replyTo: Ref<ChildReply>) => ({ kind: 'start-child', spec, replyTo }));
    expect(start).toMatchObject({ ok: false, error: { code: 'SUPERVISOR_CHILD_EXISTS' } });
    const running = await ask(kit, ref, (replyTo: Ref<ChildReply>) => ({ kind: 'restart-child', id: 'a', replyTo }));
    expect(running).toMatchObject({ ok: false, error: { code: 'SUPERVISOR_CHILD_EXISTS' } });
    const unknown = await ask(kit, ref, (replyTo: Ref<ChildReply>) => ({ kind: 'restart-child', id: 'x', replyTo }));
    expect(unknown).toMatchObject({ ok: false, error: { code: 'SUPERVISOR_CHILD_UNKNOWN' } });
  });

  it('can be started while others crash', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a');
    const slow = child({
      id: 'slow',
      start: async () => {
        await new Promise<void>((resolve) => kit.clock.timer(10, resolve));
        return () => undefined;
      },
    });
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [a.spec] }));
    const started = ask<ChildReply>(kit, ref, (replyTo) => ({ kind: 'start-child', spec: slow, replyTo }));
    await kit.settle();
    a.tell('crash');
    await kit.advance(10);
    expect(log).toEqual(['+a', '-a', '+a']);
    expect(await started).toMatchObject({ ok: true });
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'slow running']);
  });
});

describe('the news of a crash that comes late', () => {
  /** The supervisor is busy with a slow start while the child crashes, so that `orders` reach it before the news does. */
  const crashBehind = async (kit: TestKit, ...orders: SupervisorMessage[]) => {
    const log: string[] = [];
    const a = worker(log, 'a');
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const slow = child({ id: 'slow', start: () => opened.then(() => () => undefined) });
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [a.spec], intensity: 0 }));
    ref.tell({ kind: 'start-child', spec: slow });
    await kit.settle();
    for (const order of orders) ref.tell(order);
    a.tell('crash');
    await kit.settle();
    open();
    await kit.settle();
    return { log, children: await childrenOf(kit, ref) };
  };

  it('does not restart a child that was terminated meanwhile', async () => {
    await using kit = testKit();
    const { log, children } = await crashBehind(kit, { kind: 'terminate-child', id: 'a' });
    expect(children).toEqual(['a stopped', 'slow running']);
    expect(log).toEqual(['+a', '-a']);
  });

  it('is not taken for a crash of the next incarnation', async () => {
    await using kit = testKit();
    const orders = [
      { kind: 'terminate-child', id: 'a' },
      { kind: 'restart-child', id: 'a' },
    ] as const;
    const { log, children } = await crashBehind(kit, ...orders);
    expect(children).toEqual(['a running', 'slow running']);
    expect(log).toEqual(['+a', '-a', '+a']);
  });
});

describe('stopping a supervisor', () => {
  it('gives each child the time of its spec, then abandons it', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const a = worker(log, 'a', { shutdown: 70 });
    const b = worker(log, 'b', { shutdown: 'brutal' });
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [a.spec, b.spec] }));
    a.tell('hang');
    b.tell('hang');
    await kit.settle();
    const stopped = kit.system.stop(ref);
    await kit.settle();
    expect(log).toEqual(['+a', '+b', '-b']);
    await kit.advance(70);
    await stopped;
    expect(log).toEqual(['+a', '+b', '-b', '-a']);
  });

  it('is not held up by a child that never finishes starting', async () => {
    await using kit = testKit();
    const stuck = child({ id: 'stuck', start: () => never, shutdown: 50 });
    const first = kit.system.spawn(supervisor({ strategy: 'one_for_one', children: [stuck] }));
    const later = await kit.system.start(supervisor({ strategy: 'one_for_one', children: [] }));
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
    const start: Behaviour<string> = (context) => {
      if (++starts > 1) return never;
      context.self.tell('go');
      return () => context.exit();
    };
    const children = [child({ id: 'a', start, shutdown: 50 })];
    const ref = await kit.system.start(supervisor({ strategy: 'one_for_one', children, intensity: 10 }));
    await kit.settle();
    const stopped = kit.system.stop(ref);
    await kit.advance(50);
    await stopped;
    expect(starts).toBe(2);
  });

  it('waits for a supervisor below it as long as its children may take', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const slow = [1, 2, 3].map((n) => worker(log, `w${n}`, { shutdown: 4000 }));
    const inner = supervisor({ strategy: 'one_for_one', children: slow.map(({ spec }) => spec) });
    const outer = supervisor({ strategy: 'one_for_one', children: [child({ id: 'inner', start: inner })] });
    const ref = await kit.system.start(outer);
    for (const { tell } of slow) tell('hang');
    await kit.settle();
    const stopped = kit.system.stop(ref);
    await kit.advance(12_000);
    await stopped;
    expect(kit.failures.map(({ path }) => path.split('/').at(-1))).toEqual(['w3', 'w2', 'w1']);
  });
});
