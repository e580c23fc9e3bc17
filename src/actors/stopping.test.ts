import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { Context } from './mod.ts';

const never = new Promise<never>(() => undefined);

describe('stopping an actor', () => {
  it('lets it finish the message in hand; those that wait are dead letters', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const ref = kit.system.spawn<string>(() => async (message) => {
      await opened;
      seen.push(message);
    });
    ref.tell('in hand');
    ref.tell('waits');
    await kit.settle();
    const stopped = kit.system.stop(ref);
    open();
    await stopped;
    await kit.settle();
    expect(seen).toEqual(['in hand']);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'waits', why: 'stopped' }]);
  });

  it('means that no message reaches it afterwards', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>(() => (message) => void seen.push(message));
    await kit.system.stop(ref);
    expect(ref.tell('late')).toBe(false);
    await kit.settle();
    expect(seen).toEqual([]);
  });

  it('by its own exit() takes no message that waits behind the one in hand', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>((context) => (message) => {
      seen.push(message);
      context.exit();
    });
    ref.tell('in hand');
    ref.tell('waits');
    await kit.settle();
    expect(seen).toEqual(['in hand']);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'waits', why: 'stopped' }]);
  });

  it('ends its children, the last started first, before it cleans up', async () => {
    await using kit = testKit();
    const order: string[] = [];
    const named = (name: string) => (context: Context<never>) => {
      context.onStop(() => void order.push(name));
      return () => undefined;
    };
    const parent = kit.system.spawn((context) => {
      context.onStop(() => void order.push('clean-up 1'));
      context.onStop(() => void order.push('clean-up 2'));
      context.onStop(() => void order.push('before children'), 'before-children');
      context.spawn(named('left'));
      context.spawn(named('right'));
      return () => undefined;
    });
    await kit.system.stop(parent);
    expect(order).toEqual(['before children', 'right', 'left', 'clean-up 2', 'clean-up 1']);
  });

  it('disposes of what was registered to be disposed of, and waits for it', async () => {
    await using kit = testKit();
    const order: string[] = [];
    const ref = kit.system.spawn((context) => {
      context.onStop({ [Symbol.dispose]: () => void order.push('disposed of') });
      context.onStop({
        async [Symbol.asyncDispose]() {
          await Promise.resolve();
          order.push('awaited');
        },
      });
      return () => undefined;
    });
    await kit.system.stop(ref);
    expect(order).toEqual(['awaited', 'disposed of']);
  });

  it('is refused for a ref that is no actor of this system', async () => {
    await using kit = testKit();
    const foreign = { path: '/elsewhere', tell: () => true };
    expect(() => kit.system.stop(foreign)).toThrow('/elsewhere is not an actor of this system');
  });

  it('twice at a time is as good as once', async () => {
    await using kit = testKit();
    let cleaned = 0;
    const ref = kit.system.spawn((context) => {
      context.onStop(async () => void cleaned++);
      return () => undefined;
    });
    await Promise.all([kit.system.stop(ref), kit.system.stop(ref)]);
    await kit.system.stop(ref);
    expect(cleaned).toBe(1);
  });

  it('aborts its signal at once, so that the message in hand can be cut short', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<string>((context) => async () => {
      await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
    });
    ref.tell('wait for ever');
    await kit.settle();
    await kit.system.stop(ref);
    expect(kit.clock.monotonic()).toBe(0);
    expect(kit.failures).toEqual([]);
  });

  it('from within its own handler works, as long as the handler does not wait for it', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<string>((context) => () => void kit.system.stop(context.self));
    const ended = kit.system.ended(ref);
    ref.tell('stop yourself');
    expect((await ended).reason).toEqual({ kind: 'shutdown' });
  });
});

describe('an actor that does not stop in time', () => {
  it('is abandoned with its children when its handler hangs; clean-up still runs', async () => {
    await using kit = testKit();
    const order: string[] = [];
    const ref = kit.system.spawn<string>(
      (context) => {
        context.onStop(() => void order.push('parent'));
        context.spawn((inner) => {
          inner.onStop(() => void order.push('child'));
          return () => undefined;
        });
        return () => never;
      },
      { name: 'hangs', stopTimeoutMs: 100 },
    );
    const ended = kit.system.ended(ref);
    ref.tell('hang');
    ref.tell('waits');
    await kit.settle();
    const stopped = kit.system.stop(ref);
    await kit.advance(99);
    expect(order).toEqual([]);
    await kit.advance(1);
    await stopped;
    expect(order).toEqual(['child', 'parent']);
    expect(await ended).toMatchObject({
      reason: { error: { code: 'ACTOR_STOP_TIMEOUT', message: '/hangs did not stop within 100 ms and was abandoned' } },
    });
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'waits' }]);
  });

  it('is abandoned when its clean-up hangs, also if it ends by itself', async () => {
    await using kit = testKit();
    const cleaned: string[] = [];
    const ref = kit.system.spawn<string>(
      (context) => {
        context.onStop(() => void cleaned.push('the other clean-up'));
        context.onStop(() => never);
        return () => context.exit();
      },
      { stopTimeoutMs: 100 },
    );
    const ended = kit.system.ended(ref);
    ref.tell('exit');
    await kit.advance(100);
    expect((await ended).reason).toMatchObject({ error: { code: 'ACTOR_STOP_TIMEOUT' } });
    expect(cleaned).toEqual(['the other clean-up']);
  });

  it('is abandoned when it has asked for its end and its handler then hangs', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<string>(
      (context) => () => {
        context.exit();
        return never;
      },
      { stopTimeoutMs: 100 },
    );
    const ended = kit.system.ended(ref);
    ref.tell('exit');
    await kit.advance(100);
    expect((await ended).reason).toMatchObject({ error: { code: 'ACTOR_STOP_TIMEOUT' } });
  });

  it('is abandoned at once when the limit is 0, which is no failure', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<string>(() => () => never);
    ref.tell('hang');
    await kit.settle();
    const ended = kit.system.ended(ref);
    await kit.system.stop(ref, 0);
    expect((await ended).reason).toEqual({ kind: 'killed' });
    expect(kit.failures).toEqual([]);
  });

  it('is abandoned at the earliest limit that anybody has set', async () => {
    await using kit = testKit();
    for (const limits of [
      [10, 1_000],
      [1_000, 10],
    ]) {
      const ref = kit.system.spawn<string>(() => () => never);
      ref.tell('hang');
      await kit.settle();
      const ended = kit.system.ended(ref);
      for (const limitMs of limits) void kit.system.stop(ref, limitMs);
      await kit.advance(9);
      expect(kit.system.tree().children).toHaveLength(1);
      await kit.advance(1);
      expect(kit.system.tree().children).toHaveLength(0);
      expect((await ended).reason).toMatchObject({ error: { code: 'ACTOR_STOP_TIMEOUT' } });
      expect(kit.clock.pending).toBe(0);
    }
  });

  it('cleans up in the usual order when it is abandoned', async () => {
    await using kit = testKit();
    const order: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      context.onStop(() => void order.push('before'), 'before-children');
      context.onStop(() => void order.push('after'));
      return () => never;
    });
    ref.tell('hang');
    await kit.settle();
    await kit.system.stop(ref, 0);
    expect(order).toEqual(['before', 'after']);
  });

  it('has failed as its first clean-up did that failed', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<string>((context) => {
      for (const why of ['third', 'second', 'first']) {
        context.onStop(() => {
          throw new Error(why);
        });
      }
      return () => undefined;
    });
    const ended = kit.system.ended(ref);
    await kit.system.stop(ref);
    expect(await ended).toMatchObject({ reason: { kind: 'error', error: { message: 'first' } } });
  });

  it('does not take along the parent that set the limit', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    const parent = kit.system.spawn<'go'>((context) => {
      const child = context.spawn<string>(() => () => never);
      child.tell('hang');
      return async () => {
        await context.stop(child, 100);
        p.ref.tell('went on');
      };
    });
    parent.tell('go');
    await kit.advance(100);
    await p.expect('went on');
    expect(kit.system.tree().children.map(({ path }) => path)).toContain(parent.path);
  });

  it('lets go at once of what its handler acquires when it goes on after all', async () => {
    await using kit = testKit();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    let cleaned = false;
    const ref = kit.system.spawn<string>((context) => async () => {
      await opened;
      context.onStop(() => {
        cleaned = true;
      });
    });
    ref.tell('hang');
    await kit.settle();
    await kit.system.stop(ref, 0);
    open();
    await kit.settle();
    expect(cleaned).toBe(true);
  });

  it('does not end its next incarnation when the hanging handler goes on after all', async () => {
    await using kit = testKit();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const seen: string[] = [];
    let incarnation = 0;
    const parent = kit.system.spawn<'go'>((context) => async () => {
      const child = context.spawn<string>((self) => {
        const mine = ++incarnation;
        return async (message) => {
          seen.push(`${mine}: ${message}`);
          if (message !== 'hang') return;
          await opened;
          self.exit();
          throw new Error('too late to matter');
        };
      });
      child.tell('hang');
      await Promise.resolve();
      await context.stop(child, 0);
      await context.restart(child);
      open();
      await opened;
      child.tell('still there');
    });
    parent.tell('go');
    await kit.settle();
    expect(seen).toEqual(['1: hang', '2: still there']);
    expect(kit.failures).toEqual([]);
  });
});

describe('stopping an actor that starts', () => {
  it('waits for the start, cleans up, and the start is rejected', async () => {
    await using kit = testKit();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    let cleaned = false;
    const started = kit.system
      .start(
        async (context) => {
          await opened;
          context.onStop(() => {
            cleaned = true;
          });
          return () => undefined;
        },
        { name: 'slow' },
      )
      .catch((error: unknown) => error);
    let isStopped = false;
    const stopped = kit.system.shutdown().then(() => {
      isStopped = true;
    });
    await kit.settle();
    expect(isStopped).toBe(false);
    open();
    await stopped;
    expect(await started).toMatchObject({ code: 'ACTOR_STOPPED', message: '/slow was stopped while it started' });
    expect(cleaned).toBe(true);
  });

  it('is bounded when the start never ends, and lets go of what is acquired later', async () => {
    await using kit = testKit();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    let cleaned = false;
    const ref = kit.system.spawn(
      async (context) => {
        await opened;
        context.onStop(() => {
          cleaned = true;
        });
        return () => undefined;
      },
      { stopTimeoutMs: 100 },
    );
    const stopped = kit.system.stop(ref);
    await kit.advance(100);
    await stopped;
    expect(cleaned).toBe(false);
    open();
    await kit.settle();
    expect(cleaned).toBe(true);
  });

  it('leaves no child that the start spawns afterwards', async () => {
    await using kit = testKit();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const ref = kit.system.spawn(async (context) => {
      await opened;
      context.spawn(() => () => undefined);
      return () => undefined;
    });
    const stopped = kit.system.stop(ref);
    open();
    await stopped;
    expect(kit.system.tree().children).toEqual([]);
  });

  it('by itself waits until the start is done', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    const ref = await kit.system.start(async (context) => {
      context.exit();
      await Promise.resolve();
      p.ref.tell('start went on');
      return () => undefined;
    });
    await p.expect('start went on');
    expect((await kit.system.ended(ref)).reason).toEqual({ kind: 'normal' });
  });
});

describe('shutdown of the system', () => {
  it('is bounded whatever hangs', async () => {
    const kit = testKit();
    const ref = kit.system.spawn<string>((context) => {
      context.spawn(() => never);
      context.onStop(() => never);
      return () => never;
    });
    ref.tell('hang');
    await kit.settle();
    const stopped = kit.system.shutdown(1000);
    await kit.advance(1000);
    await stopped;
    expect(kit.system.tree()).toMatchObject({ state: 'stopped', children: [] });
    expect(kit.clock.pending).toBe(0);
  });

  it('refuses new actors, and says so', async () => {
    const kit = testKit();
    await kit.shutdown();
    expect(() => kit.system.spawn(() => () => undefined)).toThrow('/ has ended and starts no children');
    await expect(kit.system.start(() => () => undefined)).rejects.toMatchObject({ code: 'ACTOR_STOPPED' });
  });
});
