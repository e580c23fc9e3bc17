import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { Ref } from './mod.ts';

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
    const ref = kit.system.spawn<Question>(() => () => undefined, { capacity: 0 });
    await expect(kit.system.ask(ref, question, 10)).rejects.toMatchObject({ code: 'ACTOR_MAILBOX_FULL' });
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
