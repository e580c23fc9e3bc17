import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { Behaviour, Context } from './mod.ts';

describe('become', () => {
  it('handles the messages to come with another receive, and the next incarnation begins anew', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    const door: Behaviour<'toggle' | 'knock'> = (context) => {
      const closed = (message: 'toggle' | 'knock'): void => {
        if (message === 'toggle') context.become(open);
        else p.ref.tell('closed');
      };
      const open = (message: 'toggle' | 'knock'): void => {
        if (message === 'toggle') context.become(closed);
        else p.ref.tell('open');
      };
      return closed;
    };
    const parent = kit.system.spawn<'knock' | 'toggle' | 'restart'>((context) => {
      const child = context.spawn(door);
      return async (message) => {
        if (message !== 'restart') return void child.tell(message);
        await context.stop(child);
        await context.restart(child);
      };
    });
    for (const message of ['knock', 'toggle', 'knock', 'restart', 'knock'] as const) parent.tell(message);
    await kit.settle();
    expect(p.received).toEqual(['closed', 'open', 'closed']);
  });

  it('of a past incarnation does nothing to the next one', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    let first: Context<string> | undefined;
    const parent = kit.system.spawn<'go'>((context) => {
      const child = context.spawn<string>((inner) => {
        first ??= inner;
        return (message) => void p.ref.tell(message);
      });
      return async () => {
        await context.stop(child);
        await context.restart(child);
        first?.become(() => void p.ref.tell('the wrong one'));
        child.tell('the right one');
      };
    });
    parent.tell('go');
    await p.expect('the right one');
  });
});

describe('stash', () => {
  type Message = number | 'open';
  /** Puts numbers aside until it is opened. */
  const gate =
    (seen: Message[]): Behaviour<Message> =>
    (context) =>
    (message) => {
      if (message !== 'open') return context.stash(message);
      context.become((next) => void seen.push(next));
      context.unstashAll();
    };

  it('keeps messages for later; they come before those that wait, in their order', async () => {
    await using kit = testKit();
    const seen: Message[] = [];
    const ref = kit.system.spawn(gate(seen));
    for (const message of [1, 2, 'open', 3, 4] as const) ref.tell(message);
    await kit.settle();
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('makes dead letters of what it holds at the end, with those who sent them', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn(gate([]), { name: 'gate' });
    const sender = kit.system.spawn<number>(() => (n) => void ref.tell(n), { name: 'sender' });
    sender.tell(1);
    await kit.settle();
    ref.tell(2);
    await kit.settle();
    await kit.system.stop(ref);
    expect(kit.system.deadLetters.latest()).toEqual([
      { from: '/sender', to: '/gate', message: 1, why: 'stopped' },
      { from: '-', to: '/gate', message: 2, why: 'stopped' },
    ]);
  });

  it('remembers who sent the message in hand, whatever is dropped meanwhile', async () => {
    await using kit = testKit();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const ref = kit.system.spawn<number>(
      (context) => async (n) => {
        await opened;
        context.stash(n);
      },
      { name: 'slow', capacity: 1, overflow: 'drop-oldest' },
    );
    const sender = kit.system.spawn<number>(() => (n) => void ref.tell(n), { name: 'sender' });
    sender.tell(1);
    await kit.settle();
    ref.tell(2);
    ref.tell(3);
    open();
    // Only one may be aside: 3 is one too many and ends the actor.
    await kit.settle();
    await kit.system.stop(ref);
    expect(kit.system.deadLetters.latest().map(({ from, message, why }) => [from, message, why])).toEqual([
      ['-', 2, 'dropped'],
      ['-', 3, 'stash-full'],
      ['/sender', 1, 'stopped'],
    ]);
  });

  it('takes as many as the mailbox; one more fails the actor', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn(gate([]), { name: 'gate', capacity: 2 });
    for (const n of [1, 2, 3]) {
      ref.tell(n);
      await kit.settle();
    }
    expect(kit.failures).toMatchObject([{ path: '/gate', error: { code: 'ACTOR_STASH_FULL' } }]);
    expect(kit.failures[0]?.error.message).toContain('/gate has put 2 messages aside');
    expect(kit.system.deadLetters.latest().map(({ message, why }) => [message, why])).toEqual([
      [3, 'stash-full'],
      [1, 'stopped'],
      [2, 'stopped'],
    ]);
  });

  it('begins anew with each incarnation, also after one that was ended with a message put aside in hand', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    let starts = 0;
    const parent = kit.system.spawn<'restart'>((context) => {
      const child = context.spawn<string>((own) => {
        starts += 1;
        own.stash(`start ${starts}`);
        if (starts > 1) own.unstashAll();
        return (message) => {
          seen.push(message);
          if (starts > 1) return undefined;
          own.stash(message);
          return new Promise(() => undefined);
        };
      });
      child.tell('in hand');
      return async () => {
        await context.stop(child, 0);
        await context.restart(child);
      };
    });
    await kit.settle();
    parent.tell('restart');
    await kit.settle();
    expect(seen).toEqual(['in hand', 'start 2']);
  });

  it('can be emptied from outside of a turn', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    let inner: Context<string> | undefined;
    const ref = kit.system.spawn<string>((context) => {
      inner = context;
      return (message) => {
        context.become((next) => void seen.push(next));
        context.stash(message);
      };
    });
    ref.tell('later');
    await kit.settle();
    inner?.unstashAll();
    await kit.settle();
    expect(seen).toEqual(['later']);
  });

  it('of an actor that has ended is a dead letter at once', async () => {
    await using kit = testKit();
    let inner: Context<string> | undefined;
    const ref = kit.system.spawn<string>((context) => {
      inner = context;
      return () => undefined;
    });
    await kit.system.stop(ref);
    inner?.stash('late');
    inner?.unstashAll();
    expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'late', why: 'stopped' }]);
  });
});

describe('onIdle', () => {
  it('sends whenever nothing has come for so long; each message starts the wait anew', async () => {
    await using kit = testKit();
    const seen: [string, number][] = [];
    const ref = kit.system.spawn<string>((context) => {
      context.onIdle(10, () => 'idle');
      return (message) => void seen.push([message, context.clock.monotonic()]);
    });
    await kit.advance(6);
    ref.tell('work');
    await kit.advance(30);
    expect(seen).toEqual([
      ['work', 6],
      ['idle', 16],
      ['idle', 26],
      ['idle', 36],
    ]);
  });

  it('counts from the end of a message that took long', async () => {
    await using kit = testKit();
    const seen: [string, number][] = [];
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const ref = kit.system.spawn<string>((context) => {
      context.onIdle(10, () => 'idle');
      return async (message) => {
        if (message === 'slow') await opened;
        seen.push([message, context.clock.monotonic()]);
      };
    });
    ref.tell('slow');
    await kit.advance(25);
    open();
    await kit.advance(10);
    expect(seen).toEqual([
      ['slow', 25],
      ['idle', 35],
    ]);
  });

  it('is replaced by the next one, ends when it is cancelled, and with its actor', async () => {
    await using kit = testKit();
    const p = kit.probe<string>();
    const ref = kit.system.spawn<string>((context) => {
      context.onIdle(1, () => 'replaced');
      const cancel = context.onIdle(10, () => 'idle');
      return (message) => {
        p.ref.tell(message);
        if (message === 'cancel') cancel();
        if (message === 'again') context.onIdle(10, () => 'idle again');
      };
    });
    await kit.advance(10);
    await p.expect('idle');
    ref.tell('cancel');
    await p.expect('cancel');
    await p.expectNone(100);
    ref.tell('again');
    await p.expect('again');
    await kit.system.stop(ref);
    expect(kit.clock.pending).toBe(0);
  });

  it('of an actor that has ended sets no timer', async () => {
    await using kit = testKit();
    let inner: Context<string> | undefined;
    const ref = kit.system.spawn<string>((context) => {
      inner = context;
      return () => undefined;
    });
    await kit.system.stop(ref);
    inner?.onIdle(10, () => 'late')();
    expect(kit.clock.pending).toBe(0);
  });
});
