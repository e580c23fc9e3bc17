import { describe, expect, it, vi } from 'vitest';
import { testKit } from './kit/mod.ts';
import { type CancelTimer, type Context, systemClock } from './mod.ts';

describe('after', () => {
  it('sends once, when the time has passed', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    kit.system.spawn<string>((context) => {
      context.after(10, 'ding');
      return (message) => void p.ref.tell(message);
    });
    await p.expectNone(9);
    await kit.advance(1);
    await p.expect('ding');
    await p.expectNone(100);
  });

  it('sends nothing once it is cancelled', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    kit.system.spawn<string>((context) => {
      context.after(10, 'ding')();
      return (message) => void p.ref.tell(message);
    });
    await p.expectNone(10);
  });
});

describe('every', () => {
  it('sends again and again until it is cancelled, also from the handler of its own message', async () => {
    await using kit = testKit();
    const p = kit.probe<number>();
    kit.system.spawn<number>((context) => {
      let n = 0;
      const cancel: CancelTimer = context.every(10, () => ++n);
      return (tick) => {
        p.ref.tell(tick);
        if (tick === 3) cancel();
      };
    });
    await kit.advance(100);
    expect(p.received).toEqual([1, 2, 3]);
    expect(kit.clock.pending).toBe(0);
  });

  it('fails its actor when it cannot make its message', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<string>((context) => {
      context.every(10, () => {
        throw new Error('no message');
      });
      return () => undefined;
    });
    await kit.advance(10);
    expect(kit.failures).toMatchObject([{ path: ref.path, error: { message: 'no message' } }]);
  });
});

describe('a cancelled timer', () => {
  it.each<[string, (context: Context<string>) => CancelTimer]>([
    ['after', (context) => context.after(10, 'tick')],
    ['every', (context) => context.every(10, () => 'tick')],
  ])('of `%s` takes back what is stashed', async (_, set) => {
    await using kit = testKit();
    const handled: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      const cancel = set(context);
      return (message) => {
        if (message === 'tick') return context.stash(message);
        handled.push(message);
        cancel();
        context.unstashAll();
      };
    });
    await kit.advance(25);
    ref.tell('cancel');
    await kit.settle();
    expect([handled, kit.system.deadLetters.count]).toEqual([['cancel'], 0]);
  });

  it('takes back what waits, and nothing else', async () => {
    await using kit = testKit();
    const { promise, resolve } = Promise.withResolvers<void>();
    const handled: string[] = [];
    const ref = kit.system.spawn<string>((context) => {
      const cancels = [context.every(10, () => 'tick'), context.after(5, 'once')];
      context.every(10, () => 'kept');
      return async (message) => {
        handled.push(message);
        if (message !== 'cancel') return;
        await promise;
        for (const cancel of cancels) cancel();
      };
    });
    ref.tell('cancel');
    await kit.advance(25);
    ref.tell('last');
    resolve();
    await kit.settle();
    expect(handled).toEqual(['cancel', 'kept', 'kept', 'last']);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('of `onIdle` takes back what waits for the actor to start', async () => {
    await using kit = testKit();
    const { promise, resolve } = Promise.withResolvers<void>();
    const handled: string[] = [];
    const ref = kit.system.spawn<string>(async (context) => {
      const cancel = context.onIdle(10, () => 'idle');
      await promise;
      cancel();
      return (message) => void handled.push(message);
    });
    await kit.advance(15);
    ref.tell('last');
    resolve();
    await kit.settle();
    expect(handled).toEqual(['last']);
  });
});

it.each([-1, Number.NaN])('a delay of %s ms is refused', async (delayMs) => {
  await using kit = testKit();
  for (const set of ['after', 'every', 'onIdle'] as const) {
    const ref = kit.system.spawn<string>((context) => {
      if (set === 'after') context.after(delayMs, 'x');
      else context[set](delayMs, () => 'x');
      return () => undefined;
    });
    expect((await kit.system.ended(ref)).reason).toMatchObject({ kind: 'error', error: { code: 'CONFIG_VALUE' } });
  }
});

describe('timers', () => {
  it('end with their actor', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<string>((context) => {
      context.after(10, 'ding');
      context.every(10, () => 'dong');
      return () => undefined;
    });
    await kit.system.stop(ref);
    expect(kit.clock.pending).toBe(0);
  });

  it('of an incarnation that is over reach the next one neither when they were set before nor when they are set after', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    let first: Context<string> | undefined;
    kit.system.spawn<'restart'>((context) => {
      const child = context.spawn<string>((self) => {
        first ??= self;
        if (self === first) self.after(10, 'set before');
        return (message) => void p.ref.tell(message);
      });
      context.after(5, 'restart');
      return async () => {
        await context.stop(child);
        await context.restart(child);
        first?.after(1, 'set after');
        first?.exit();
      };
    });
    await p.expectNone(100);
    expect(kit.failures).toEqual([]);
  });
});

describe('systemClock', () => {
  it('takes delays that Node does not', () => {
    vi.useFakeTimers();
    try {
      const month = 30 * 24 * 3600 * 1000;
      const fired = vi.fn();
      systemClock.timer(month, fired);
      const cancel = systemClock.timer(month, fired);
      vi.advanceTimersByTime(month - 1);
      expect(fired).not.toHaveBeenCalled();
      cancel();
      vi.advanceTimersByTime(1);
      expect(fired).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });
});
