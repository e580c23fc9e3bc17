import { describe, expect, it } from 'vitest';
import { interleavings, testKit } from './kit/mod.ts';
import type { AskOutcome, Context, Ref } from './mod.ts';

interface Question {
  readonly n: number;
  readonly replyTo: Ref<number>;
}

type Message = AskOutcome<number> | 'go' | number;

const outcomeOf = (outcome: AskOutcome<number>): AskOutcome<number> => outcome;

describe('context.ask', () => {
  it('sends the reply to the asker as a message', async () => {
    await using kit = testKit({ copyMessages: true });
    const p = kit.probe<Message>();
    const target = kit.system.spawn<Question>(
      () =>
        ({ n, replyTo }) =>
          void replyTo.tell(n + 1),
    );
    kit.system.spawn<Message>((context) => {
      context.ask(target, (replyTo: Ref<number>) => ({ n: 1, replyTo }), outcomeOf, 1_000);
      return (message) => void p.ref.tell(message);
    });
    await p.expect({ ok: true, reply: 2 });
    expect(kit.clock.pending).toBe(0);
  });

  it('leaves the asker free for other messages', async () => {
    await using kit = testKit();
    const p = kit.probe<Message>();
    const open: Ref<number>[] = [];
    const target = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void open.push(replyTo),
    );
    const asker = kit.system.spawn<Message>((context) => (message) => {
      p.ref.tell(message);
      if (message === 'go') context.ask(target, (replyTo: Ref<number>) => ({ n: 1, replyTo }), outcomeOf, 1_000);
    });
    asker.tell('go');
    asker.tell(7);
    await kit.settle();
    open[0]?.tell(5);
    await kit.settle();
    expect(p.received).toEqual(['go', 7, { ok: true, reply: 5 }]);
  });

  it('keeps the place of the reply among the other messages from the same actor, in any order of turns', async () => {
    await interleavings(async (kit) => {
      const seen: Message[] = [];
      const target = kit.system.spawn<{ readonly asker: Ref<Message>; readonly replyTo: Ref<number> }>(
        () =>
          ({ asker, replyTo }) => {
            asker.tell(1);
            replyTo.tell(2);
            asker.tell(3);
          },
      );
      kit.system.spawn<Message>((context) => {
        context.ask(target, (replyTo: Ref<number>) => ({ asker: context.self, replyTo }), outcomeOf, 1_000);
        return async (message) => {
          await Promise.resolve();
          seen.push(message);
        };
      });
      await kit.settle();
      expect(seen).toEqual([1, { ok: true, reply: 2 }, 3]);
    });
  });

  it('sends one outcome: a timeout, and no reply after it', async () => {
    await using kit = testKit();
    const p = kit.probe<Message>();
    const open: Ref<number>[] = [];
    const target = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void open.push(replyTo),
      { name: 'target' },
    );
    kit.system.spawn<Message>((context) => {
      context.ask(target, (replyTo: Ref<number>) => ({ n: 1, replyTo }), outcomeOf, 100);
      return (message) => void p.ref.tell(message);
    });
    await p.expectNone(99);
    await kit.advance(1);
    await p.expect(
      (message) => typeof message === 'object' && !message.ok && message.error.code === 'ACTOR_ASK_TIMEOUT',
    );
    expect(open[0]?.tell(5)).toBe(false);
    await p.expectNone(100);
  });

  it.each<
    [what: string, code: string, capacity: number, before: (context: Context<Message>, target: Ref<never>) => void]
  >([
    ['ended', 'ACTOR_STOPPED', 1, (context, target) => void context.stop(target)],
    [
      'ended before it replied',
      'ACTOR_STOPPED',
      1,
      (context, target) =>
        context.pipe(
          Promise.resolve().then(() => context.stop(target)),
          () => 1,
          () => 1,
        ),
    ],
    // It takes anything.
    ['no room', 'ACTOR_MAILBOX_FULL', 1, (_context, target) => void target.tell(0 as never)],
  ])('tells that the other has %s', async (_what, code, capacity, before) => {
    await using kit = testKit();
    const p = kit.probe<Message>();
    kit.system.spawn<Message>((context) => {
      const target = context.spawn<Question>(() => () => undefined, { capacity });
      before(context, target);
      context.ask(target, (replyTo: Ref<number>) => ({ n: 1, replyTo }), outcomeOf, 1_000);
      return (message) => void p.ref.tell(message);
    });
    await p.fishFor((message) => typeof message === 'object' && !message.ok && message.error.code === code);
    expect(kit.clock.pending).toBe(0);
  });

  it('finds room for the outcome in a full mailbox', async () => {
    await using kit = testKit();
    const seen: Message[] = [];
    const target = kit.system.spawn<Question>(
      () =>
        ({ n, replyTo }) =>
          void replyTo.tell(n),
    );
    const release = Promise.withResolvers<void>();
    const asker = kit.system.spawn<Message>(
      (context) => {
        context.ask(target, (replyTo: Ref<number>) => ({ n: 1, replyTo }), outcomeOf, 1_000);
        return async (message) => {
          seen.push(message);
          await release.promise;
        };
      },
      { capacity: 2 },
    );
    asker.tell(8);
    asker.tell(9);
    await kit.settle();
    release.resolve();
    await kit.settle();
    expect(seen).toHaveLength(3);
    expect(seen).toContainEqual({ ok: true, reply: 1 });
  });

  it('ends with the asker: no timer is left, and the next incarnation hears nothing of it', async () => {
    await using kit = testKit();
    const seen: Message[] = [];
    const open: Ref<number>[] = [];
    const target = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void open.push(replyTo),
    );
    const parent = kit.system.spawn<'restart'>((context) => {
      let starts = 0;
      const asker = context.spawn<Message>((inner) => {
        if (++starts === 1) inner.ask(target, (replyTo: Ref<number>) => ({ n: 1, replyTo }), outcomeOf, 1_000);
        return (message) => void seen.push(message);
      });
      return async () => {
        await context.stop(asker);
        await context.restart(asker);
        open[0]?.tell(1);
      };
    });
    await kit.settle();
    parent.tell('restart');
    await kit.settle();
    expect(seen).toEqual([]);
    expect(kit.clock.pending).toBe(0);
  });

  it('fails its actor if the outcome cannot be made a message', async () => {
    await using kit = testKit();
    const target = kit.system.spawn<Question>(
      () =>
        ({ n, replyTo }) =>
          void replyTo.tell(n),
    );
    const asker = kit.system.spawn<Message>((context) => {
      const broken = (): Message => {
        throw new Error('no message');
      };
      context.ask(target, (replyTo: Ref<number>) => ({ n: 1, replyTo }), broken, 1_000);
      return () => undefined;
    });
    await kit.settle();
    expect(kit.failures).toMatchObject([{ path: asker.path, error: { message: 'no message' } }]);
  });
});
