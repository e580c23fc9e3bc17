import { describe, expect, it } from 'vitest';
import { CopyingMailbox } from '../kit/copy-message.ts';
import { testKit } from '../kit/mod.ts';
import {
  type ActorSystem,
  type Behaviour,
  consistentHash,
  type Listing,
  type PoolMessage,
  passOn,
  pool,
  type Ref,
  receptionist,
  serviceKey,
  topic,
} from '../mod.ts';

/** As that of the proxy of an actor on a shard, it throws at a message that cannot cross. */
const mailbox = <M>(): CopyingMailbox<M> => new CopyingMailbox<M>();
const hostile = { f: () => 1 };
const nobody: Ref<unknown> = { path: '/nobody', tell: () => false };

/** Counts the messages of its life, and tells. */
const counter =
  (sink: Ref<number>): Behaviour<unknown> =>
  () => {
    let count = 0;
    return () => void sink.tell(++count);
  };

describe('a message that a receiver cannot take', () => {
  it('is a dead letter of that member of a pool, which goes on with all members and their state', async () => {
    await using kit = testKit();
    const p = kit.probe<number>();
    const ref = await kit.system.start(pool(counter(p.ref), { size: 1, member: { mailbox } }), { name: 'pool' });
    for (const message of [1, hostile, { kind: 'pool.broadcast', message: hostile }, 2]) ref.tell(message);
    await kit.settle();
    expect(p.received).toEqual([1, 2]);
    expect(kit.failures).toEqual([]);
    const letter = {
      from: '/pool',
      to: expect.stringMatching(/^\/pool\/\d+$/),
      message: hostile,
      why: 'invalid',
      error: { message: expect.stringContaining('message.f') },
    };
    expect(kit.system.deadLetters.latest()).toMatchObject([letter, letter]);
  });

  it('fails the ask that it belongs to, at once', async () => {
    await using kit = testKit();
    const p = kit.probe<number>();
    const ref = await kit.system.start(pool(counter(p.ref), { size: 1, member: { mailbox } }));
    const asked = kit.system.ask(ref, (replyTo: Ref<number>) => ({ ...hostile, replyTo }), 1_000);
    await expect(asked).rejects.toThrow('message.f');
  });

  it('is a dead letter of that subscriber of a topic, and the others get it', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn(topic<unknown>());
    const p = kit.probe<number>();
    for (const options of [{ name: 'far', mailbox }, { name: 'near' }]) {
      ref.tell({ kind: 'subscribe', subscriber: kit.system.spawn(counter(p.ref), options) });
    }
    ref.tell({ kind: 'publish', message: hostile });
    ref.tell({ kind: 'publish', message: 1 });
    await kit.settle();
    expect(p.received.toSorted()).toEqual([1, 1, 2]);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ to: '/far', message: hostile, why: 'invalid' }]);
  });

  it('and is a reply fails its asker', async () => {
    await using kit = testKit();
    const failed: unknown[] = [];
    const replyTo = {
      path: '/far?',
      tell: (): boolean => {
        throw new TypeError('cannot cross');
      },
      fail: (error: Error) => failed.push(error.message),
    };
    kit.system.spawn((context) => {
      // It has one method more.
      expect(passOn(context, replyTo as Ref<unknown>, hostile)).toBe(false);
      return () => undefined;
    });
    expect(failed).toEqual(['cannot cross']);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ to: '/far?', why: 'invalid' }]);
  });
});

describe('a message that a pattern cannot handle', () => {
  it.each<[string, unknown, string]>([
    ['a size below 1', { kind: 'pool.resize', size: 0 }, '`size`'],
    ['a message at which the routing throws', { none: 1 }, 'no key'],
    ['a message that is routed to no member', { key: 'far' }, 'the index of a member, from 0 to 0, got `7`'],
  ])('does not end a pool: %s', async (_what, message, why) => {
    await using kit = testKit();
    const p = kit.probe<number>();
    const routing = () => (_members: unknown, given: unknown) => {
      // All messages but one are such.
      const { key } = given as { readonly key?: string };
      if (key === undefined) throw new Error('no key');
      return key === 'far' ? 7 : 0;
    };
    const ref = await kit.system.start(pool(counter(p.ref), { size: 1, routing }), { name: 'pool' });
    // The types forbid this, but not every user has them.
    const sender = kit.system.spawn<unknown>(() => (given) => void ref.tell(given as PoolMessage<never>), {
      name: 'sender',
    });
    for (const one of [{ key: 'a' }, message, { key: 'a' }]) sender.tell(one);
    await kit.settle();
    expect([kit.failures, p.received]).toEqual([[], [1, 2]]);
    const error = { message: expect.stringContaining(why) };
    const letter = { from: '/sender', to: '/pool', message, why: 'invalid', error };
    expect(kit.system.deadLetters.latest()).toMatchObject([letter]);
  });

  it('does not end a pool whose key function throws: the next message has its key', async () => {
    await using kit = testKit();
    const p = kit.probe<number>();
    const routing = consistentHash((text: unknown) => {
      if (typeof text !== 'string') throw new Error('no text');
      return text;
    });
    const ref = await kit.system.start(pool(counter(p.ref), { size: 2, routing }));
    ref.tell(5);
    ref.tell('a');
    await kit.settle();
    expect([kit.failures, p.received]).toEqual([[], [1]]);
  });

  it('does not end a topic or a receptionist: a ref that is no actor, or no message at all', async () => {
    await using kit = testKit();
    const p = kit.probe<unknown>();
    const news = kit.system.spawn(topic<unknown>());
    news.tell({ kind: 'subscribe', subscriber: p.ref });
    const desk = kit.system.spawn(receptionist());
    const services = serviceKey<unknown>('services');
    desk.tell(services.register(p.ref));
    news.tell({ kind: 'subscribe', subscriber: nobody });
    desk.tell({ kind: 'register', name: 'services', ref: nobody });
    // The types forbid this, but not every user has them.
    news.tell(undefined as never);
    desk.tell(undefined as never);
    news.tell({ kind: 'publish', message: 1 });
    await kit.settle();
    expect(p.received).toEqual([1]);
    expect((await kit.system.ask(desk, services.find, 1_000)) satisfies Listing<unknown>).toMatchObject({
      refs: [p.ref],
    });
    expect(kit.failures).toEqual([]);
    expect(kit.system.deadLetters.latest().map(({ why, error }) => [why, error?.code])).toEqual([
      ['invalid', 'ACTOR_REF_INVALID'],
      ['invalid', undefined],
      ['invalid', 'ACTOR_REF_INVALID'],
      ['invalid', undefined],
    ]);
  });

  it.each([
    ['a topic', (system: ActorSystem): Ref<never> => system.spawn(topic<unknown>())],
    ['a receptionist', (system: ActorSystem): Ref<never> => system.spawn(receptionist())],
  ])('is a dead letter of %s if it is none of its own', async (_what, spawn) => {
    await using kit = testKit();
    const ref = spawn(kit.system);
    // As above.
    const others = [null, 5, 'x', {}, { kind: 'zzz' }] as never[];
    for (const message of others) ref.tell(message);
    await kit.settle();
    expect(kit.failures).toEqual([]);
    const letters = kit.system.deadLetters.latest();
    expect(letters.map(({ why, message }) => [why, message])).toEqual(others.map((message) => ['invalid', message]));
    expect(letters[4]?.error).toMatchObject({ code: 'CONFIG_VALUE', message: expect.stringContaining('`kind`') });
  });
});
