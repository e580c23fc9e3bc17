import { describe, expect, it } from 'vitest';
import { interleavings, testKit } from './kit/mod.ts';
import type { Behaviour } from './mod.ts';

/** Works on each number until `next` lets it go on. */
function worker(done: number[]): { readonly behaviour: Behaviour<number>; readonly next: () => void } {
  let release = (): void => undefined;
  const behaviour: Behaviour<number> = () => async (n) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    done.push(n);
  };
  return { behaviour, next: () => release() };
}

describe('drain', () => {
  it('handles what waits, refuses what comes, and then ends the actor', async () => {
    await using kit = testKit();
    const done: number[] = [];
    const { behaviour, next } = worker(done);
    const ref = kit.system.spawn(behaviour, { name: 'worker' });
    const ended = kit.system.ended(ref);
    for (const n of [1, 2]) ref.tell(n);
    await kit.settle();
    const drained = kit.system.drain(ref);
    expect(ref.tell(3)).toBe(false);
    expect(kit.system.tree().children).toMatchObject([{ state: 'stopping', depth: 1 }]);
    for (const _ of [1, 2]) {
      next();
      await kit.settle();
    }
    await drained;
    expect(done).toEqual([1, 2]);
    expect(await ended).toEqual({ path: '/worker', reason: { kind: 'shutdown' } });
    expect(kit.system.deadLetters.latest()).toEqual([{ from: '-', to: '/worker', message: 3, why: 'stopped' }]);
    expect(kit.clock.pending).toBe(0);
  });

  it('ends an idle actor at once, and an ended one is drained', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<number>(() => () => undefined);
    await kit.system.drain(ref);
    expect(kit.system.tree().children).toEqual([]);
    await kit.system.drain(ref);
  });

  it('waits for the start, and handles what came before it', async () => {
    await using kit = testKit();
    const done: number[] = [];
    const start = Promise.withResolvers<void>();
    const slowly: Behaviour<number> = async () => {
      await start.promise;
      return (n) => void done.push(n);
    };
    const [busy, idle] = [kit.system.spawn(slowly), kit.system.spawn(slowly)];
    busy.tell(1);
    const drained = Promise.all([kit.system.drain(busy), kit.system.drain(idle)]);
    await kit.settle();
    expect(kit.system.tree().children).toHaveLength(2);
    start.resolve();
    await drained;
    expect(done).toEqual([1]);
  });

  it('stops the actor after its time limit: the messages that still wait become dead letters', async () => {
    await using kit = testKit();
    const done: number[] = [];
    const { behaviour, next } = worker(done);
    const ref = kit.system.spawn(behaviour);
    for (const n of [1, 2]) ref.tell(n);
    await kit.settle();
    const drained = kit.system.drain(ref, 50);
    await kit.advance(50);
    next();
    await drained;
    expect(done).toEqual([1]);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 2, why: 'stopped' }]);
  });

  it('gives way to a stop', async () => {
    await using kit = testKit();
    const done: number[] = [];
    const { behaviour, next } = worker(done);
    const ref = kit.system.spawn(behaviour);
    for (const n of [1, 2]) ref.tell(n);
    await kit.settle();
    const drained = kit.system.drain(ref);
    const stopped = kit.system.stop(ref);
    next();
    await Promise.all([drained, stopped]);
    expect(done).toEqual([1]);
  });

  it('fails an ask at once, and refuses offers that wait for room', async () => {
    await using kit = testKit();
    const { behaviour } = worker([]);
    const ref = kit.system.spawn(behaviour, { capacity: 1 });
    for (const n of [1, 2]) {
      ref.tell(n);
      await kit.settle();
    }
    const offered = kit.system.offer(ref, 3);
    void kit.system.drain(ref);
    expect(await offered).toBe(false);
    const asked = kit.system.ask<number, number>(ref, () => 4, 1_000);
    expect(await asked.catch((error: Error) => error)).toMatchObject({ code: 'ACTOR_STOPPED' });
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 3 }, { message: 4 }]);
  });

  it('takes back what the actor puts aside and unstashes meanwhile', async () => {
    await using kit = testKit();
    const done: string[] = [];
    const ref = kit.system.spawn<string>((context) => (message) => {
      if (message === 'open') context.unstashAll();
      else if (done.length === 0 && message === 'later') {
        done.push('aside');
        context.stash(message);
      } else done.push(message);
    });
    for (const message of ['later', 'open']) ref.tell(message);
    await kit.system.drain(ref);
    expect(done).toEqual(['aside', 'later']);
  });

  it('ends the timers of the actor, and its own limit with the actor', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<number>((context) => {
      context.every(10, () => 1);
      context.onIdle(5, () => 2);
      return () => undefined;
    });
    ref.tell(1);
    await kit.system.drain(ref);
    await kit.advance(100);
    expect(kit.system.deadLetters.count).toBe(0);
    expect(kit.clock.pending).toBe(0);
  });

  it('asked for by the actor itself lets the message in hand end', async () => {
    await using kit = testKit();
    const done: number[] = [];
    const ref = kit.system.spawn<number>((context) => (n) => {
      if (n === 1) void kit.system.drain(context.self);
      done.push(n);
    });
    for (const n of [1, 2]) ref.tell(n);
    await kit.system.ended(ref);
    expect(done).toEqual([1, 2]);
  });

  it('loses nothing unsaid: each message is handled, refused, or a dead letter, in any order of turns', async () => {
    await interleavings(async (kit) => {
      let handled = 0;
      let taken = 0;
      const ref = kit.system.spawn<number>(() => async () => {
        await Promise.resolve();
        handled += 1;
      });
      for (let sender = 0; sender < 3; sender++) {
        const from = kit.system.spawn<number>(() => (n) => {
          if (ref.tell(n)) taken += 1;
        });
        for (let n = 0; n < 5; n++) from.tell(n);
      }
      const ender = kit.system.spawn<'now'>(() => () => void kit.system.drain(ref));
      ender.tell('now');
      await kit.settle();
      expect(handled).toBe(taken);
      expect(kit.system.deadLetters.count).toBe(15 - taken);
    });
  });

  it('drains the children too, unless the time was up before', async () => {
    await using kit = testKit();
    const done: string[] = [];
    const child: Behaviour<string> = (context) => (text) =>
      new Promise((resolve) => {
        context.clock.timer(10, () => {
          done.push(text);
          resolve();
        });
      });
    const parent: Behaviour<string> = (context) => {
      const below = context.spawn(child);
      return (text) => void below.tell(text);
    };
    for (const timeoutMs of [100, 15]) {
      const ref = kit.system.spawn(parent);
      for (const n of [1, 2, 3]) ref.tell(`${n} in ${timeoutMs} ms`);
      const drained = kit.system.drain(ref, timeoutMs);
      await kit.advance(100);
      await drained;
    }
    expect(done).toEqual(['1 in 100 ms', '2 in 100 ms', '3 in 100 ms', '1 in 15 ms', '2 in 15 ms']);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: '3 in 15 ms' }]);
    expect(kit.failures).toEqual([]);
    expect(kit.clock.pending).toBe(0);
  });

  it('stops the children at once if it gives way to a stop', async () => {
    await using kit = testKit();
    const gate = Promise.withResolvers<void>();
    const done: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      const below = context.spawn<string>(() => async (text) => {
        await gate.promise;
        done.push(text);
      });
      return async (text) => {
        below.tell(text);
        await gate.promise;
        below.tell(text);
      };
    });
    ref.tell('a');
    await kit.settle();
    const drained = kit.system.drain(ref);
    const stopped = kit.system.stop(ref);
    gate.resolve();
    await Promise.all([drained, stopped]);
    expect(done).toEqual(['a']);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'a' }]);
  });

  it('is for children, as a stop is', async () => {
    await using kit = testKit();
    const done: number[] = [];
    const parent = kit.system.spawn<'drain'>((context) => {
      const child = context.spawn<number>(() => (n) => void done.push(n));
      return async () => {
        child.tell(1);
        await context.drain(child);
        await context.drain(kit.system.spawn<number>(() => () => undefined));
      };
    });
    parent.tell('drain');
    await kit.settle();
    expect(done).toEqual([1]);
    expect(kit.failures).toMatchObject([{ error: { message: expect.stringContaining('is no child of') } }]);
  });
});
