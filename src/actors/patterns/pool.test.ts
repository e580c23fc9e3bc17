import { describe, expect, it } from 'vitest';
import { interleavings, testKit } from '../kit/mod.ts';
import type { Behaviour, PoolMessage, Ref } from '../mod.ts';
import { consistentHash, leastBusy, pool } from '../mod.ts';

type Job = { readonly key: string } | 'crash' | 'leave';

interface Worked {
  readonly by: string;
  readonly job: Job;
}

/** Reports its jobs to `sink`. */
const worker =
  (sink: Ref<Worked>): Behaviour<Job> =>
  (context) =>
  (job) => {
    if (job === 'crash') throw new Error('crashed');
    if (job === 'leave') return context.exit();
    sink.tell({ by: context.self.path, job });
  };

const job = (key: string): Job => ({ key });

describe('a pool', () => {
  it('hands messages to its members in turn', async () => {
    await using kit = testKit({ copyMessages: true });
    const p = kit.probe<Worked>();
    const ref = await kit.system.start(pool(worker(p.ref), { size: 3 }), { name: 'pool' });
    for (const key of ['a', 'b', 'c', 'd']) ref.tell(job(key));
    await kit.settle();
    const by = new Map(p.received.map((worked) => [typeof worked.job === 'object' && worked.job.key, worked.by]));
    expect(new Set(by.values()).size).toBe(3);
    expect(by.get('d')).toBe(by.get('a'));
    expect(by.get('a')).toMatch(/^\/pool\//);
  });

  it('has the type of its members: whoever sends to it does not know that it is one', async () => {
    await using kit = testKit();
    const doubling: Behaviour<{ readonly n: number; readonly replyTo: Ref<number> }> =
      () =>
      ({ n, replyTo }) =>
        void replyTo.tell(2 * n);
    const ref: Ref<{ readonly n: number; readonly replyTo: Ref<number> }> = kit.system.spawn(
      pool(doubling, { size: 2 }),
    );
    const asked = kit.system.ask(ref, (replyTo: Ref<number>) => ({ n: 21, replyTo }), 1_000);
    expect(await asked).toBe(42);
  });

  it('keeps all messages of a key with one member, also when that was replaced', async () => {
    await using kit = testKit();
    const p = kit.probe<Worked>();
    const byKey = consistentHash((message: Job) => (typeof message === 'string' ? 'a' : message.key));
    const ref = await kit.system.start(pool(worker(p.ref), { size: 5, routing: byKey }));
    for (const message of [job('a'), job('b'), job('a'), 'crash', job('c')] as const) ref.tell(message);
    await kit.settle();
    ref.tell(job('a'));
    await kit.settle();
    const members = (key: string): Set<string> =>
      new Set(
        p.received.filter((worked) => typeof worked.job === 'object' && worked.job.key === key).map(({ by }) => by),
      );
    expect(members('a').size).toBe(1);
    expect(p.received).toHaveLength(5);
  });

  it('gives work to who has the least, the message in hand included', async () => {
    await using kit = testKit();
    const worked: string[] = [];
    const never = new Promise<void>(() => undefined);
    const slowFirst: Behaviour<Job> = (context) => async (message) => {
      worked.push(context.self.path);
      if (typeof message === 'object' && message.key === 'slow') await never;
    };
    const ref = await kit.system.start(pool(slowFirst, { size: 2, routing: leastBusy, member: { stopTimeoutMs: 10 } }));
    for (const key of ['slow', 'a', 'b', 'c']) {
      ref.tell(job(key));
      await kit.settle();
    }
    const [first, ...others] = worked;
    expect(others).toHaveLength(3);
    expect(others).not.toContain(first);
  });

  it('sends a broadcast to every member', async () => {
    await using kit = testKit();
    const p = kit.probe<Worked>();
    const ref = await kit.system.start(pool(worker(p.ref), { size: 3 }));
    ref.tell({ kind: 'pool.broadcast', message: job('all') });
    await kit.settle();
    expect(new Set(p.received.map(({ by }) => by)).size).toBe(3);
    expect(p.received).toHaveLength(3);
  });

  it.each(['crash', 'leave'] as const)('replaces a member that ends (%s) at once, behind the same ref', async (end) => {
    await using kit = testKit();
    const p = kit.probe<Worked>();
    const ref = await kit.system.start(pool(worker(p.ref), { size: 2 }), { name: 'pool' });
    const before = kit.system.tree().children.find(({ path }) => path === '/pool')?.children;
    ref.tell(end);
    await kit.settle();
    for (const key of ['a', 'b']) ref.tell(job(key));
    await kit.settle();
    const after = kit.system.tree().children.find(({ path }) => path === '/pool')?.children;
    expect(after?.map(({ path }) => path).toSorted()).toEqual(before?.map(({ path }) => path).toSorted());
    expect(after?.map(({ restarts }) => restarts).toSorted()).toEqual([0, 1]);
    expect(new Set(p.received.map(({ by }) => by)).size).toBe(2);
  });

  it('waits longer and longer for a member that ends again and again, and goes on with the others', async () => {
    await using kit = testKit();
    const p = kit.probe<Worked>();
    let starts = 0;
    const frail: Behaviour<Job> = (context) => {
      starts += 1;
      if (starts > 2) throw new Error('cannot start');
      return worker(p.ref)(context);
    };
    const ref = await kit.system.start(pool(frail, { size: 2, backOff: { firstMs: 100, maxMs: 1_000 } }), {
      name: 'pool',
    });
    ref.tell('crash');
    await kit.settle();
    // Started again at once, which failed.
    expect(starts).toBe(3);
    ref.tell(job('a'));
    ref.tell(job('b'));
    await kit.advance(99);
    expect(starts).toBe(3);
    expect(p.received).toHaveLength(2);
    await kit.advance(1);
    expect(starts).toBe(4);
    await kit.advance(199);
    expect(starts).toBe(4);
    await kit.advance(1);
    expect(starts).toBe(5);
    await kit.system.stop(ref);
    expect(kit.clock.pending).toBe(0);
  });

  it('starts a member again at once that has lived for long', async () => {
    await using kit = testKit();
    let starts = 0;
    const counted: Behaviour<Job> = () => {
      starts += 1;
      return () => {
        throw new Error('crashed');
      };
    };
    const ref = await kit.system.start(
      pool(counted, { size: 1, backOff: { firstMs: 100, maxMs: 1_000, resetMs: 500 } }),
    );
    for (const round of [1, 2, 3]) {
      await kit.advance(500);
      ref.tell('crash');
      await kit.settle();
      expect(starts).toBe(round + 1);
    }
  });

  it('makes dead letters of what no member can take', async () => {
    await using kit = testKit();
    let starts = 0;
    const once: Behaviour<Job> = (context) => {
      starts += 1;
      if (starts > 1) throw new Error('cannot start');
      return () => context.exit();
    };
    const ref = await kit.system.start(pool(once, { size: 1 }), { name: 'pool' });
    ref.tell('leave');
    await kit.settle();
    ref.tell(job('a'));
    await kit.settle();
    expect(kit.system.deadLetters.latest()).toMatchObject([{ from: '/pool', message: job('a'), why: 'stopped' }]);
  });

  it('fails if a member fails to start with it', async () => {
    await using kit = testKit();
    let starts = 0;
    const frail: Behaviour<Job> = () => {
      starts += 1;
      if (starts === 2) throw new Error('cannot start');
      return () => undefined;
    };
    await expect(kit.system.start(pool(frail, { size: 3 }))).rejects.toThrow('cannot start');
    expect(kit.system.tree().children).toEqual([]);
  });

  it('grows, and shrinks without losing what its members have', async () => {
    await using kit = testKit();
    let handled = 0;
    const slow: Behaviour<Job> = (context) => (message) => {
      if (message === 'crash') throw new Error('crashed');
      return new Promise((resolve) => {
        context.clock.timer(10, () => {
          handled += 1;
          resolve();
        });
      });
    };
    const ref = await kit.system.start(pool(slow, { size: 2 }), { name: 'pool' });
    const members = (): number => kit.system.tree().children[0]?.children.length ?? 0;
    ref.tell({ kind: 'pool.resize', size: 4 });
    for (let n = 0; n < 12; n++) ref.tell(job(`${n}`));
    await kit.settle();
    expect(members()).toBe(4);
    ref.tell({ kind: 'pool.resize', size: 1 });
    ref.tell({ kind: 'pool.resize', size: 2 });
    await kit.settle();
    expect(members()).toBe(5);
    await kit.advance(100);
    expect(handled).toBe(12);
    expect(members()).toBe(2);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('outlives a member that fails while it is drained, and does not replace it', async () => {
    await using kit = testKit();
    const gate = Promise.withResolvers<void>();
    const failsLate: Behaviour<Job> = () => async () => {
      await gate.promise;
      throw new Error('crashed');
    };
    const ref = await kit.system.start(pool(failsLate, { size: 2 }), { name: 'pool' });
    for (const key of ['a', 'b']) ref.tell(job(key));
    await kit.settle();
    ref.tell({ kind: 'pool.resize', size: 1 });
    await kit.settle();
    gate.resolve();
    await kit.settle();
    expect(kit.system.tree().children[0]).toMatchObject({ path: '/pool', children: [{ restarts: 1 }] });
  });

  it('gives up a member that waits for its restart when it shrinks', async () => {
    await using kit = testKit();
    let starts = 0;
    const frail: Behaviour<Job> = () => {
      starts += 1;
      return () => {
        throw new Error('crashed');
      };
    };
    const ref = await kit.system.start(pool(frail, { size: 2 }));
    for (let round = 0; round < 4; round++) {
      ref.tell('crash');
      await kit.settle();
    }
    expect(kit.clock.pending).toBe(2);
    const before = starts;
    ref.tell({ kind: 'pool.resize', size: 1 });
    await kit.advance(100);
    expect(starts).toBe(before + 1);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a size of %s', async (size) => {
    await using kit = testKit();
    expect(() => pool<Job>(() => () => undefined, { size })).toThrow(expect.objectContaining({ code: 'CONFIG_VALUE' }));
    const ref = await kit.system.start(
      pool<Job>(() => () => undefined, { size: 1 }),
      { name: 'pool' },
    );
    ref.tell({ kind: 'pool.resize', size });
    await kit.settle();
    expect(kit.failures).toEqual([]);
    const letter = { to: '/pool', why: 'invalid', error: { code: 'CONFIG_VALUE' } };
    expect(kit.system.deadLetters.latest()).toMatchObject([letter]);
  });

  it('is drained with its members', async () => {
    await using kit = testKit();
    let handled = 0;
    const ref = kit.system.spawn(
      pool<Job>(
        (context) => () =>
          new Promise((resolve) => {
            context.clock.timer(10, () => {
              handled += 1;
              resolve();
            });
          }),
        { size: 2 },
      ),
    );
    for (const key of ['a', 'b', 'c', 'd', 'e']) ref.tell(job(key));
    const drained = kit.system.drain(ref);
    await kit.advance(100);
    await drained;
    expect(handled).toBe(5);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('ends its members with it: their messages are dead letters', async () => {
    await using kit = testKit();
    const gate = Promise.withResolvers<void>();
    const ref = await kit.system.start(
      pool<Job>(() => () => gate.promise, { size: 1 }),
      { name: 'pool' },
    );
    for (const key of ['a', 'b']) ref.tell(job(key));
    await kit.settle();
    const stopped = kit.system.stop(ref);
    await kit.settle();
    gate.resolve();
    await stopped;
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: job('b'), why: 'stopped' }]);
    expect(kit.system.tree().children).toEqual([]);
  });

  it('loses nothing unsaid while members crash and the pool is resized, in any order of turns', async () => {
    await interleavings(async (kit) => {
      let handled = 0;
      const ref = kit.system.spawn<PoolMessage<Job>>(
        pool<Job>(
          () => async (message) => {
            await Promise.resolve();
            handled += 1;
            if (message === 'crash') throw new Error('crashed');
          },
          { size: 2 },
        ),
        { name: 'pool' },
      );
      const messages = [job('a'), 'crash', job('b'), job('c'), 'crash', job('d'), job('e')] as const;
      for (const [index, message] of messages.entries()) {
        ref.tell(message);
        if (index === 2) ref.tell({ kind: 'pool.resize', size: 4 });
        if (index === 4) ref.tell({ kind: 'pool.resize', size: 1 });
      }
      await kit.settle();
      await kit.advance(1_000);
      expect(handled + kit.system.deadLetters.count).toBe(messages.length);
    });
  });
});
