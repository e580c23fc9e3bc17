import { describe, expect, it } from 'vitest';
import { asCell } from './as-cell.ts';
import { ask } from './ask.ts';
import { type TestKit, testKit } from './kit/mod.ts';
import type { AskOutcome, Ref } from './mod.ts';

type Question = { readonly replyTo: Ref<string> };
const question = (replyTo: Ref<string>): Question => ({ replyTo });

describe('ask', () => {
  it('resolves with the first reply; a second one is refused', async () => {
    await using kit = testKit();
    const taken: boolean[] = [];
    const ref = kit.system.spawn<Question>(() => ({ replyTo }) => {
      taken.push(replyTo.tell('first'), replyTo.tell('second'));
    });
    expect(await kit.system.ask(ref, question, 10)).toBe('first');
    expect(taken).toEqual([true, false]);
  });

  it('is rejected at its deadline, and leaves no timer behind when it was answered before', async () => {
    await using kit = testKit();
    const silent = kit.system.spawn<Question>(() => () => undefined, { name: 'silent' });
    const answer = kit.system.ask(silent, question, 10).catch((error: unknown) => error);
    await kit.advance(10);
    expect(await answer).toMatchObject({ code: 'ACTOR_ASK_TIMEOUT', message: '/silent did not reply within 10 ms' });
    const echo = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void replyTo.tell('yes'),
    );
    await kit.system.ask(echo, question, 10);
    expect(kit.clock.pending).toBe(0);
  });

  it('leaves nothing behind at the actor that was asked, replied or not', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void replyTo.tell('yes'),
    );
    const silent = kit.system.spawn<Question>(() => () => undefined);
    await kit.system.ask(ref, question, 10);
    const given = kit.system.ask(silent, question, 10).catch(() => undefined);
    expect(asCell(silent).ends.listeners.length).toBe(1);
    await kit.advance(10);
    await given;
    let adapted: Ref<Question> | undefined;
    const behind = kit.system.spawn<Question>((context) => {
      adapted = context.adapt<Question>((message) => message);
      return ({ replyTo }) => void replyTo.tell('yes');
    });
    // It was made at the start.
    await kit.system.ask(adapted as unknown as Ref<Question>, question, 10);
    expect([ref, silent, behind].map((one) => asCell(one).ends.listeners.length)).toEqual([0, 0, 0]);
  });

  it('tells all that wait until it is settled, and at once those that come later', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void replyTo.tell('yes'),
    );
    const told: string[] = [];
    const replyTo = ask<Question, string>(
      asCell(ref).kernel,
      { to: ref, toMessage: question, timeoutMs: 10 },
      { replied: (reply) => told.push(reply), failed: () => undefined },
    );
    for (const name of ['a', 'b', 'c']) replyTo.onSettled(() => told.push(name));
    await kit.settle();
    replyTo.onSettled(() => told.push('late'));
    expect(told).toEqual(['a', 'b', 'c', 'yes', 'late']);
  });

  it('of an actor that is being drained says that it is not running', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<Question | 'work'>(() => () => new Promise(() => undefined), { stopTimeoutMs: 1 });
    ref.tell('work');
    await kit.settle();
    void kit.system.drain(ref, 1);
    await expect(kit.system.ask(ref, question, 10)).rejects.toMatchObject({ code: 'ACTOR_STOPPED' });
  });

  it.each([0, -1_000, Number.NaN])('is refused before it sends, if its time is %s ms', async (timeoutMs) => {
    await using kit = testKit();
    const asked: Question[] = [];
    const ref = kit.system.spawn<Question>(() => (message) => void asked.push(message));
    await expect(kit.system.ask(ref, question, timeoutMs)).rejects.toMatchObject({
      code: 'CONFIG_VALUE',
      message: `Expected \`timeoutMs\` to be a number of milliseconds above 0, got \`${timeoutMs}\` (number)`,
    });
    await kit.settle();
    expect([asked, kit.clock.pending]).toEqual([[], 0]);
  });

  it('makes dead letters of a second reply, and of one that is late', async () => {
    await using kit = testKit();
    const replies: Ref<string>[] = [];
    const ref = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void replies.push(replyTo),
      { name: 'slow' },
    );
    const answered = kit.system.ask(ref, question, 10);
    await kit.settle();
    const sender = kit.system.spawn<'reply'>(
      () => () => {
        for (const replyTo of replies) expect([replyTo.tell('one'), replyTo.tell('two')]).toContain(false);
      },
      { name: 'sender' },
    );
    sender.tell('reply');
    expect(await answered).toBe('one');
    replies.length = 0;
    const late = kit.system.ask(ref, question, 10).catch(() => undefined);
    await kit.advance(10);
    await late;
    sender.tell('reply');
    await kit.settle();
    const letter = { from: '/sender', to: '/slow?' };
    expect(kit.system.deadLetters.latest()).toEqual([
      { ...letter, message: 'two', why: 'second-reply' },
      { ...letter, message: 'one', why: 'late-reply' },
      { ...letter, message: 'two', why: 'late-reply' },
    ]);
  });

  it('many at once are told of the end of the actor, each once', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<Question>((context) => () => context.exit());
    const asks = Array.from({ length: 100 }, () => kit.system.ask(ref, question, 10).catch((error: unknown) => error));
    for (const error of await Promise.all(asks)) expect(error).toMatchObject({ code: 'ACTOR_STOPPED' });
    expect(kit.clock.pending).toBe(0);
  });

  it('is rejected when the actor ends before it replied', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<Question>((context) => () => context.exit());
    await expect(kit.system.ask(ref, question, 10)).rejects.toMatchObject({ code: 'ACTOR_STOPPED' });
    expect(kit.clock.pending).toBe(0);
  });

  it('is rejected at once by an actor that has ended', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<Question>(() => () => undefined);
    await kit.system.stop(ref);
    await expect(kit.system.ask(ref, question, 10)).rejects.toMatchObject({ code: 'ACTOR_STOPPED' });
  });

  it('is rejected at once by a full mailbox', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn<Question>(() => () => undefined, { capacity: 1 });
    const first = kit.system.ask(ref, question, 10).catch(() => undefined);
    await expect(kit.system.ask(ref, question, 10)).rejects.toMatchObject({ code: 'ACTOR_MAILBOX_FULL' });
    await kit.advance(10);
    await first;
  });

  it('does not keep a failure from the parent', async () => {
    await using kit = testKit();
    const parent = kit.system.spawn<Question>((context) => {
      const child = context.spawn<Question>(() => () => {
        throw new Error('boom');
      });
      return (message) => void child.tell(message);
    });
    const ended = kit.system.ended(parent);
    await expect(kit.system.ask(parent, question, 10)).rejects.toMatchObject({ code: 'ACTOR_STOPPED' });
    expect((await ended).reason).toMatchObject({
      kind: 'error',
      error: { code: 'ACTOR_CHILD_FAILED', cause: { message: 'boom' } },
    });
  });
});

describe('many asks', () => {
  /** Asks an actor that never replies, and notes when the ask has failed. */
  function asker(kit: TestKit): { ask(timeoutMs: number): void; failedMs: number[] } {
    const silent = kit.system.spawn<Question>(() => () => undefined);
    const failedMs: number[] = [];
    return {
      ask: (timeoutMs) =>
        void kit.system.ask(silent, question, timeoutMs).catch(() => failedMs.push(kit.clock.monotonic())),
      failedMs,
    };
  }

  it('with one time limit share a timer, and each fails at its own deadline', async () => {
    await using kit = testKit();
    const { ask, failedMs } = asker(kit);
    for (const _ of [1, 2, 3]) ask(10);
    await kit.advance(4);
    for (const _ of [1, 2]) ask(10);
    expect(kit.clock.pending).toBe(1);
    await kit.advance(3);
    ask(10);
    await kit.advance(100);
    expect(failedMs).toEqual([10, 10, 10, 14, 14, 17]);
    expect(kit.clock.pending).toBe(0);
  });

  it('fail at their deadlines, also if the one that set the timer has its reply', async () => {
    await using kit = testKit();
    const replies: Ref<string>[] = [];
    const slow = kit.system.spawn<Question>(
      () =>
        ({ replyTo }) =>
          void replies.push(replyTo),
    );
    const outcomes: unknown[] = [];
    const ask = (): void => {
      const note = (outcome: unknown): void => void outcomes.push([kit.clock.monotonic(), outcome]);
      kit.system.ask(slow, question, 10).then(note, ({ code }: { readonly code: string }) => note(code));
    };
    ask();
    await kit.advance(1);
    ask();
    await kit.advance(1);
    ask();
    await kit.settle();
    replies[0]?.tell('first');
    replies[2]?.tell('third');
    await kit.advance(100);
    expect(outcomes).toEqual([
      [2, 'first'],
      [2, 'third'],
      [11, 'ACTOR_ASK_TIMEOUT'],
    ]);
    expect(kit.clock.pending).toBe(0);
  });

  it('with different time limits fail at their deadlines', async () => {
    await using kit = testKit();
    const { ask, failedMs } = asker(kit);
    for (const timeoutMs of [30, 10, 20, 10, 30]) ask(timeoutMs);
    await kit.advance(100);
    expect(failedMs).toEqual([10, 10, 20, 30, 30]);
    expect(kit.clock.pending).toBe(0);
  });

  it('that are sent again in the moment of their failure get their whole time again', async () => {
    await using kit = testKit();
    const silent = kit.system.spawn<Question>(() => () => undefined);
    const failedMs: number[] = [];
    kit.system.spawn<AskOutcome<string> | 'go'>((context) => {
      const ask = (): void => context.ask(silent, question, (outcome) => outcome, 10);
      for (const _ of [1, 2]) ask();
      return () => {
        failedMs.push(kit.clock.monotonic());
        if (failedMs.length < 5) ask();
      };
    });
    await kit.advance(100);
    expect(failedMs).toEqual([10, 10, 20, 20, 30, 30]);
    expect(kit.clock.pending).toBe(0);
  });
});
