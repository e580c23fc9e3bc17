import { describe, expect, it } from 'vitest';
import type { Exit, Ref } from '../actors/mod.ts';
import { codeOf, type Detail, ShoalError } from '../errors.ts';
import { HAS_LEFT, joinHosts } from './mod.ts';
import { FakePort } from './testing/fake-network.ts';
import { type EchoMessage, echo, FakeGroup, type FakeHost, watching } from './testing/fixture.ts';

const ASK_MS = 1_000;

/** Two hosts that are up; the second exposes an actor that keeps what it is told. */
async function pair(group = new FakeGroup()) {
  const [a, b] = [group.host('a'), group.host('b')];
  const notes: unknown[] = [];
  const actor = b.system.spawn(echo(notes), { name: 'echo' });
  b.hosts.expose('echo', actor);
  await group.settle();
  const far = a.hosts.ref<EchoMessage>('b', 'echo');
  await group.advance(100);
  return { group, a, b, notes, actor, far };
}

function asked(from: FakeHost, ref: Ref<EchoMessage>, value: unknown): Promise<unknown> {
  return from.system.ask<EchoMessage, unknown>(ref, (replyTo) => ({ kind: 'ask', value, replyTo }), ASK_MS);
}

function nested(levels: number): Record<string, Detail> {
  return levels === 0 ? {} : { inner: nested(levels - 1) };
}

const settled = <T>(promise: Promise<T>): Promise<T | Error> => promise.catch((error: Error) => error);

describe('hosts of one group', () => {
  it('see each other up, and tell an actor of those that are up already', async () => {
    const { group, a, b } = await pair();
    expect(a.hosts.peers()).toMatchObject([{ host: 'b', incarnation: b.hosts.incarnation }]);
    expect(b.events).toEqual([{ kind: 'host-up', host: 'a', incarnation: a.hosts.incarnation }]);
    const told: unknown[] = [];
    const ref = a.system.spawn(() => (event) => void told.push(event));
    a.hosts.subscribe(ref);
    const c = group.host('c');
    await group.settle();
    expect(told).toEqual([
      { kind: 'host-up', host: 'b', incarnation: b.hosts.incarnation },
      { kind: 'host-up', host: 'c', incarnation: c.hosts.incarnation },
    ]);
    await a.system.stop(ref);
    c.hosts.leave();
    await group.settle();
    expect([told.length, a.letters]).toEqual([2, []]);
  });

  it('of another group are not seen', async () => {
    const group = new FakeGroup();
    const [a, b] = [group.host('a'), group.host('b', { group: 'test.others' })];
    await group.advance(5_000);
    expect([a.hosts.peers(), b.hosts.peers()]).toEqual([[], []]);
  });

  it('learn at once that one leaves, by its system too', async () => {
    const { group, a, b, far } = await pair();
    const exits = watching(a.system, far);
    await group.settle();
    await b.system.shutdown();
    await group.settle();
    const lost = { code: 'HOST_LOST', details: { why: HAS_LEFT } };
    expect(a.events.at(-1)).toMatchObject({ kind: 'host-lost', host: 'b', error: lost });
    // The actor had ended before the host left.
    expect(exits).toEqual([{ path: 'b:/echo', reason: { kind: 'shutdown' } }]);
    expect(() => a.hosts.ref('b', 'echo')).toThrow(expect.objectContaining({ code: 'HOST_UNKNOWN' }));
    expect(b.hosts.ended?.code).toBe('HOST_LOST');
  });

  it('leave in good order: what they had taken is not told as lost', async () => {
    const { group, a, b, notes, far } = await pair();
    far.tell({ kind: 'note', value: 'taken' });
    await group.settle();
    expect([notes, a.hosts.stats().waiting > 0]).toEqual([['taken'], true]);
    b.hosts.leave();
    await group.settle();
    expect([a.hosts.peers(), a.letters]).toEqual([[], []]);
  });

  it('leave nothing behind when they leave', async () => {
    const { group, a, b } = await pair();
    for (const { hosts, system } of [a, b]) {
      hosts.leave();
      hosts.leave();
      await system.shutdown();
    }
    await group.settle();
    expect([group.network.subscriptions, group.clock.pending]).toEqual([0, 0]);
  });

  it('leave no actor of theirs behind, so that a program can join and leave as often as it likes', async () => {
    const group = new FakeGroup();
    const { hosts, system } = group.host('a');
    hosts.leave();
    await group.settle();
    expect(system.tree().children).toEqual([]);
  });

  it('leave nothing behind if their system has shut down, or their port takes no subscription', async () => {
    const group = new FakeGroup();
    const { system, hosts } = group.host('a');
    await system.shutdown();
    const options = { system, port: group.network.port('a'), group: 'test.hosts', host: 'a' };
    expect(() => joinHosts(options)).toThrow(expect.objectContaining({ code: 'ACTOR_STOPPED' }));
    const other = group.host('b');
    const port = group.network.port('c');
    let subscriptions = 0;
    port.subscribe = (...args) => {
      subscriptions += 1;
      if (subscriptions === 2) throw new Error('closed');
      return FakePort.prototype.subscribe.apply(port, args);
    };
    expect(() => joinHosts({ ...options, system: other.system, port, host: 'c' })).toThrow('closed');
    await group.settle();
    hosts.leave();
    other.hosts.leave();
    await group.settle();
    expect([group.network.subscriptions, group.clock.pending, other.failures]).toEqual([0, 0, []]);
    expect(
      other.system
        .tree()
        .children.map(({ path }) => path)
        .filter((path) => path.includes('hosts')),
    ).toEqual([]);
  });

  it.each([
    ['group', 'a.*'],
    ['group', 'a..b'],
    ['lostMs', Number.POSITIVE_INFINITY],
    ['host', 'a/b'],
    ['host', ''],
    ['about', 'two\nlines'],
    ['beatMs', 0],
    ['lostMs', 1_500],
    ['windowBytes', 0.5],
    ['port', {}],
  ])('are not joined with %s %j', (option, value) => {
    expect(() => new FakeGroup().host('a', { [option]: value })).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining(`\`${option}\``) }),
    );
  });
});

describe('an actor of another host', () => {
  it('is told, in order', async () => {
    const { group, notes, far } = await pair();
    for (let n = 0; n < 5_000; n++) expect(far.tell({ kind: 'note', value: n })).toBe(true);
    await group.settle();
    expect(notes).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
  });

  it('replies to an ask, and the messages of one turn travel together', async () => {
    const { group, a, far } = await pair();
    let frames = 0;
    await group.advance(500);
    group.network.onCarried = ({ subject }) => {
      if (subject.includes('.to.')) frames += 1;
    };
    const asks = Array.from({ length: 50 }, (_, n) => asked(a, far, n));
    await group.settle();
    expect(await Promise.all(asks)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    // The asks, the replies, and that nobody waits for the actor's end any more.
    expect(frames).toBe(3);
  });

  it('is watched: its end is told once, after its messages, with its reason', async () => {
    const { group, a, far } = await pair();
    const told: unknown[] = [];
    const watcher = a.system.spawn<unknown>((context) => {
      context.watch(far, (exit) => exit.reason.kind);
      return (message) => void told.push(message);
    });
    far.tell({ kind: 'ask', value: 'last', replyTo: watcher });
    far.tell({ kind: 'fail' });
    await group.settle();
    await group.advance(10_000);
    expect(told).toEqual(['last', 'error']);
    expect(watching(a.system, far)).toEqual([]);
    await group.settle();
    const late = watching(a.system, far);
    await group.settle();
    expect(late).toMatchObject([{ path: 'b:/echo', reason: { kind: 'error', error: { message: 'as told' } } }]);
  });

  it.each([
    ['a key that replaces the prototype', JSON.parse('{"__proto__":1}')],
    ['a key with half a character', { '\ud800': 1 }],
    ['more levels than a message may have', nested(80)],
    ['more bytes than an operation may have', { text: 'x'.repeat(100_000) }],
  ])('that fails with details with %s is told without them, to watchers and askers', async (_what, details) => {
    const { group, a, b, far } = await pair();
    const failing = new ShoalError('INTERNAL', 'as told', { details });
    const bad = b.system.spawn<unknown>(() => () => {
      throw failing;
    });
    b.hosts.expose('bad', bad);
    const exits = watching(a.system, a.hosts.ref('b', 'bad'));
    const failed = settled(asked(a, a.hosts.ref('b', 'bad'), 1));
    await group.settle();
    const short = {
      code: 'INTERNAL',
      message: 'as told',
      details: { omitted: 'details, stack and causes, which could not cross to another host' },
    };
    expect(exits).toMatchObject([{ reason: { kind: 'error', error: short } }]);
    expect(await failed).toMatchObject({ code: 'ACTOR_STOPPED', cause: { message: 'as told' } });
    // So is an error in a reply, unless only its size is in the way: that is the size of a message.
    const reply = asked(a, far, failing);
    await group.settle();
    expect(await reply).toMatchObject(details.text === undefined ? short : { details });
  });

  it('is watched no more after unwatch', async () => {
    const { group, a, far } = await pair();
    const told: unknown[] = [];
    a.system.spawn<Exit>((context) => {
      context.watch(far, (exit) => exit);
      context.unwatch(far);
      return (exit) => void told.push(exit);
    });
    await group.settle();
    far.tell({ kind: 'end' });
    await group.settle();
    expect(told).toEqual([]);
  });

  it('fails its asks as soon as it ends, and at once when it has ended', async () => {
    const { group, a, far } = await pair();
    const open = settled(a.system.ask<EchoMessage, unknown>(far, (replyTo) => ({ kind: 'ignore', replyTo }), ASK_MS));
    far.tell({ kind: 'fail' });
    await group.settle();
    expect(await open).toMatchObject({ code: 'ACTOR_STOPPED', cause: { message: 'as told' } });
    const late = settled(asked(a, far, 1));
    await group.settle();
    expect(await late).toMatchObject({ code: 'ACTOR_STOPPED' });
  });

  it.each([
    ['in its own time', undefined],
    ['without any limit', Number.POSITIVE_INFINITY],
  ])('can be stopped %s', async (_, timeoutMs) => {
    const { group, a, b, far } = await pair();
    const stopped = a.system.stop(far, timeoutMs);
    await group.settle();
    await stopped;
    expect(b.system.tree().children.some(({ path }) => path === '/echo')).toBe(false);
    expect(b.hosts.stats().damaged).toBe(0);
  });

  it('counts the messages that came', async () => {
    const { group, a, b, far } = await pair();
    for (const value of [1, 2, 3]) far.tell({ kind: 'note', value });
    await group.settle();
    expect([a.hosts.stats().sent, b.hosts.stats().received]).toEqual([3, 3]);
  });

  it('that is not exposed fails its asks at once, and its messages are dead letters', async () => {
    const { group, a, b } = await pair();
    const nobody = a.hosts.ref<EchoMessage>('b', 'nobody');
    const reply = settled(asked(a, nobody, 1));
    const exits = watching(a.system, nobody);
    await group.settle();
    expect(await reply).toMatchObject({ code: 'ACTOR_STOPPED', cause: { code: 'HOST_ACTOR_UNKNOWN' } });
    expect(exits).toMatchObject([{ reason: { error: { code: 'HOST_ACTOR_UNKNOWN' } } }]);
    expect(b.letters).toMatchObject([{ to: 'nobody', why: 'stopped' }]);
    expect(() => a.hosts.ref('c', 'echo')).toThrow('Host c is not up in the group test.hosts; these are: b');
    for (const name of ['', 'x'.repeat(1_001)])
      expect(() => a.hosts.ref('b', name)).toThrow(expect.objectContaining({ code: 'CONFIG_VALUE' }));
  });

  it('is another one once the name is exposed anew, for those who ask by name again', async () => {
    const { group, a, b, notes, far } = await pair();
    const others: unknown[] = [];
    const unexpose = b.hosts.expose('echo', b.system.spawn(echo(others)));
    far.tell({ kind: 'note', value: 'old' });
    a.hosts.ref<EchoMessage>('b', 'echo').tell({ kind: 'note', value: 'new' });
    await group.settle();
    unexpose();
    a.hosts.ref<EchoMessage>('b', 'echo').tell({ kind: 'note', value: 'none' });
    await group.settle();
    expect([notes, others, b.letters.length]).toEqual([['old'], ['new'], 1]);
  });

  it('stays exposed when one that had the name before is taken back', async () => {
    const { b, actor } = await pair();
    const first = b.hosts.expose('name', b.system.spawn(echo([])));
    b.hosts.expose('name', actor);
    first();
    expect(b.hosts.ref('b', 'name')).toBe(actor);
  });

  it('of this host itself is the actor', async () => {
    const { b, actor } = await pair();
    expect(b.hosts.ref('b', 'echo')).toBe(actor);
    expect(b.hosts.ref<string>('b', 'nobody').tell('x')).toBe(false);
  });

  it('refuses a message that is no plain data, or larger than the server takes, with the value and a remedy', async () => {
    const { group, a, far } = await pair();
    expect(() => far.tell({ kind: 'note', value: () => 1 })).toThrow('`message.value`');
    group.network.payloadBytesMax = 4_096;
    const large = (): boolean => far.tell({ kind: 'note', value: 'x'.repeat(4_096) });
    expect(large).toThrow(/at most 3984 bytes to b:echo, got 41\d\d bytes\..*max_payload/);
    expect(large).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
    const request = settled(asked(a, far, 'x'.repeat(4_096)));
    expect(await request).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    const own = a.system.spawn(echo([]));
    expect(() => far.tell({ kind: 'note', value: [own, 'x'.repeat(4_096)] })).toThrow('max_payload');
    expect(() => far.tell({ kind: 'note', value: [own, () => 1] })).toThrow('plain data');
    await group.advance(100);
    // The refs of refused messages are not kept.
    expect(a.hosts.stats()).toMatchObject({ refs: 0, waiting: 0 });
    // What fits goes through, however much of it there is.
    const many = Array.from({ length: 50 }, (_, n) => asked(a, far, `${n}${'x'.repeat(3_500)}`));
    await group.settle();
    expect((await Promise.all(many)).map((text) => Number.parseInt(String(text), 10))).toEqual([...Array(50).keys()]);
  });

  it('gets an error as an envelope, and its error crosses with code and causes', async () => {
    const { group, a, far } = await pair();
    const error = new ShoalError('VM_GONE', 'gone', { details: { vm: 3 }, cause: new TypeError('why') });
    const reply = asked(a, far, error);
    await group.settle();
    const back = await reply;
    expect(back).toBeInstanceOf(ShoalError);
    expect(back).toMatchObject({ code: 'VM_GONE', message: 'gone', details: { vm: 3 }, cause: { message: 'why' } });
  });
});

describe('a ref in a message', () => {
  it('comes home as the original', async () => {
    const { group, a, far } = await pair();
    const own = a.system.spawn(echo([]));
    const reply = asked(a, far, { refs: new Map([['own', own]]), far });
    await group.settle();
    expect(await reply).toEqual({ refs: new Map([['own', own]]), far: expect.anything() });
    // The line above says that it is an object.
    expect(((await reply) as { refs: Map<string, unknown> }).refs.get('own')).toBe(own);
  });

  it('of a third host reaches it, and its end is told', async () => {
    const group = new FakeGroup();
    const { a, b, far } = await pair(group);
    const c = group.host('c');
    const notes: unknown[] = [];
    c.hosts.expose('third', c.system.spawn(echo(notes)));
    await group.settle();
    const third = a.hosts.ref<EchoMessage>('c', 'third');
    const got: Ref<EchoMessage>[] = [];
    b.hosts.expose(
      'taker',
      b.system.spawn<Ref<EchoMessage>>(() => (ref) => void got.push(ref)),
    );
    a.hosts.ref<Ref<EchoMessage>>('b', 'taker').tell(third);
    await group.settle();
    const [relayed = far] = got;
    const exits = watching(b.system, relayed);
    relayed.tell({ kind: 'note', value: 'from b' });
    const reply = asked(b, relayed, 7);
    await group.settle();
    expect([notes, await reply]).toEqual([['from b'], 7]);
    relayed.tell({ kind: 'end' });
    await group.settle();
    expect(exits).toMatchObject([{ reason: { kind: 'normal' } }]);
  });

  it('is one that nobody else may close: an ask has one reply, later ones are dead letters', async () => {
    const { group, a, b } = await pair();
    b.hosts.expose(
      'twice',
      b.system.spawn<Ref<number>>(() => (replyTo) => {
        replyTo.tell(1);
        replyTo.tell(2);
      }),
    );
    const reply = a.system.ask<Ref<number>, number>(a.hosts.ref('b', 'twice'), (replyTo) => replyTo, ASK_MS);
    await group.settle();
    expect(await reply).toBe(1);
    expect(a.letters).toMatchObject([{ message: 2, why: 'second-reply' }]);
    const replies: Ref<number>[] = [];
    b.hosts.expose(
      'late',
      b.system.spawn<Ref<number>>(() => (replyTo) => void replies.push(replyTo)),
    );
    const late = settled(a.system.ask<Ref<number>, number>(a.hosts.ref('b', 'late'), (replyTo) => replyTo, ASK_MS));
    await group.advance(2 * ASK_MS);
    expect(codeOf(await late)).toBe('ACTOR_ASK_TIMEOUT');
    replies[0]?.tell(3);
    await group.settle();
    expect(a.letters.at(-1)).toMatchObject({ message: 3, why: 'late-reply' });
  });

  it('whose message throws at its receiver ends nobody', async () => {
    const { group, a, b, far } = await pair();
    const thrower: Ref<never> = {
      path: '/thrower',
      tell: () => {
        throw new Error('no');
      },
    };
    const got: Ref<string>[] = [];
    b.hosts.expose(
      'taker',
      b.system.spawn<Ref<string>>(() => (ref) => void got.push(ref)),
    );
    a.hosts.ref<Ref<never>>('b', 'taker').tell(thrower);
    await group.settle();
    got[0]?.tell('x');
    await group.settle();
    const reply = asked(a, far, 1);
    await group.settle();
    expect(await reply).toBe(1);
    expect(codeOf(a.hosts.ended)).toBeUndefined();
  });
});
