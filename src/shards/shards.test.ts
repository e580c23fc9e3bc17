import { describe, expect, it } from 'vitest';
import type { Exit, Ref } from '../actors/mod.ts';
import type { WorkerArgs, WorkerMessage } from './testing/behaviours.ts';
import { patientProbe, type ShardsFixture, shardsFixture } from './testing/fixture.ts';

const where = (replyTo: Ref<{ shard: number; self: Ref<WorkerMessage> }>): WorkerMessage => ({
  kind: 'where',
  replyTo,
});

function echo(fixture: ShardsFixture, ref: Ref<WorkerMessage>, value: unknown): Promise<unknown> {
  return fixture.ask(ref, (replyTo) => ({ kind: 'echo', value, replyTo }));
}

describe('an actor on a shard', () => {
  it('is told and asked as any other', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    expect(ref.path).toBe('/w');
    expect(await echo(fixture, ref, { a: [1, 'two', new Map([[3, new Set([4])]])], at: new Date(5), big: 6n })).toEqual(
      {
        a: [1, 'two', new Map([[3, new Set([4])]])],
        at: new Date(5),
        big: 6n,
      },
    );
  });

  it('lives on the shard that has the fewest', async () => {
    await using fixture = shardsFixture();
    const refs = await Promise.all(['a', 'b', 'c', 'd'].map((name) => fixture.worker(name)));
    const shards = await Promise.all(refs.map(async (ref) => (await fixture.ask(ref, where)).shard));
    expect(shards.toSorted()).toEqual([0, 0, 1, 1]);
    expect([...fixture.loaded].sort()).toEqual([0, 1]);
  });

  it('is shown in the tree with its shard', async () => {
    await using fixture = shardsFixture({ count: 1 });
    await fixture.worker('w');
    const tree = fixture.system.tree().children;
    expect(tree).toContainEqual(expect.objectContaining({ path: '/w', shard: 'shard-0' }));
    expect(tree.filter(({ shard }) => shard === 'shard-0')).toHaveLength(1);
  });

  it('has one ref, whoever tells of it', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await Promise.all([fixture.worker('a'), fixture.worker('b')]);
    const { self } = await fixture.ask(a, where);
    expect(self).toBe(a);
    const inMessage = patientProbe<{ who: Ref<WorkerMessage> }>(fixture);
    b.tell({ kind: 'pass-on', to: inMessage.ref, message: { who: a } });
    const { who } = await inMessage.expect();
    expect(who).toBe(a);
  });

  it('is not placed any more once it was stopped, whatever its arguments wait for', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const asked = Promise.withResolvers<void>();
    const args = Promise.withResolvers<WorkerArgs>();
    const { start, ...spawn } = fixture.shards.actor('worker', () => {
      asked.resolve();
      return args.promise;
    });
    const ref = fixture.system.spawn(start, { ...spawn, name: 'w' });
    await asked.promise;
    const stopped = fixture.system.stop(ref);
    args.resolve({});
    await stopped;
    expect(await fixture.shards.stats()).toMatchObject([{ state: 'up', worker: { actors: 0 } }]);
  });

  it('keeps no place on a shard if it is stopped in the turn of its start', async () => {
    await using fixture = shardsFixture();
    // Both shards are up.
    await fixture.worker('first');
    const { start, ...spawn } = fixture.shards.actor('worker', {});
    for (let n = 0; n < 3; n++) await fixture.system.stop(fixture.system.spawn(start, spawn));
    const refs = await Promise.all(['a', 'b', 'c'].map((name) => fixture.worker(name)));
    const shards = await Promise.all(refs.map(async (ref) => (await fixture.ask(ref, where)).shard));
    expect(shards).toEqual([1, 0, 1]);
  });

  it('tells of itself while it starts', async () => {
    await using fixture = shardsFixture();
    const started = patientProbe<Ref<WorkerMessage>>(fixture);
    const ref = await fixture.worker('w', { started: started.ref });
    expect(await started.expect()).toBe(ref);
  });

  it('hears in order, and each message once, also of many turns', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const ref = await fixture.worker('w');
    for (let n = 0; n < 3_000; n++) {
      ref.tell({ kind: 'note', n });
      if (n % 100 === 0) await Promise.resolve();
    }
    const notes = await fixture.ask<readonly number[]>(ref, (replyTo) => ({ kind: 'notes', replyTo }));
    expect(notes).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  });

  it('is heard in order', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    const probe = patientProbe<number>(fixture);
    ref.tell({ kind: 'count', to: probe.ref, upTo: 2_000 });
    await probe.fishFor((n) => n === 1_999);
    expect(probe.received).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
  });

  it('asks actors here and on other shards', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await Promise.all([fixture.worker('a'), fixture.worker('b')]);
    const reply = patientProbe<unknown>(fixture);
    a.tell({ kind: 'ask', other: b, value: 'hello', replyTo: reply.ref });
    expect(await reply.expect()).toBe('hello');
    const here = fixture.system.spawn<WorkerMessage>(() => (message) => {
      if (message.kind === 'echo') message.replyTo.tell(['here', message.value]);
    });
    a.tell({ kind: 'ask', other: here, value: 'hello', replyTo: reply.ref });
    expect(await reply.expect()).toEqual(['here', 'hello']);
  });

  it('errors and their causes cross as they are', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    const error = await echo(fixture, ref, new RangeError('too far', { cause: new Error('why') }));
    expect(error).toMatchObject({ name: 'RangeError', message: 'too far', cause: { message: 'why' } });
  });

  it('has a name that is free when it has ended', async () => {
    await using fixture = shardsFixture();
    const first = await fixture.worker('w');
    await fixture.system.stop(first);
    const second = await fixture.worker('w');
    expect(await echo(fixture, second, 1)).toBe(1);
  });
});

describe('the end of an actor on a shard', () => {
  it('by itself is told to those who watch it', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    ref.tell({ kind: 'end' });
    expect(await fixture.system.ended(ref)).toEqual({ path: '/w', reason: { kind: 'normal' } });
    expect(ref.tell({ kind: 'end' })).toBe(false);
  });

  it('by a failure brings its code, details and cause', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    ref.tell({ kind: 'fail', code: 'VM_GONE' });
    const { reason } = await fixture.system.ended(ref);
    expect(reason).toMatchObject({
      kind: 'error',
      error: { code: 'VM_GONE', details: { vm: 7 }, cause: { message: 'why' } },
    });
    expect(fixture.failures).toEqual(['/w VM_GONE']);
  });

  it('comes after everything that it said before', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    const log = patientProbe<number | Exit>(fixture);
    fixture.system.spawn<Exit>((context) => {
      context.watch(ref, (exit) => exit);
      return (exit) => void log.ref.tell(exit);
    });
    ref.tell({ kind: 'count', to: log.ref, upTo: 1_000 });
    ref.tell({ kind: 'end' });
    await log.fishFor((message) => typeof message === 'object');
    expect(log.received.slice(0, -1)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  it('is waited for by whoever stops it', async () => {
    await using fixture = shardsFixture();
    const stopped = patientProbe<string>(fixture);
    const ref = await fixture.worker('w', { stopped: stopped.ref });
    await fixture.system.stop(ref);
    await stopped.expect('/w');
    expect(await fixture.system.ended(ref)).toMatchObject({ reason: { kind: 'shutdown' } });
  });

  it('comes with the start, if that fails', async () => {
    await using fixture = shardsFixture();
    await expect(fixture.worker('w', { failStart: true })).rejects.toMatchObject({
      code: 'VM_GONE',
      details: { vm: 7 },
    });
    expect(await echo(fixture, await fixture.worker('w'), 1)).toBe(1);
  });

  it('of a child of it, which nobody watches, is the end of both', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    ref.tell({ kind: 'fail-child' });
    expect(await fixture.system.ended(ref)).toMatchObject({ reason: { error: { code: 'ACTOR_CHILD_FAILED' } } });
    expect(fixture.failures).toContainEqual(expect.stringMatching('^shard: /w/'));
  });

  it('is seen from other shards, through a ref in a message', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await Promise.all([fixture.worker('a'), fixture.worker('b')]);
    const exits = patientProbe<Exit>(fixture);
    a.tell({ kind: 'watch', other: b, to: exits.ref });
    // Messages are handled in order, so the actor watches once it has answered this.
    await fixture.ask(a, where);
    a.tell({ kind: 'stop', other: b });
    expect(await exits.expect()).toEqual({ path: '/b', reason: { kind: 'shutdown' } });
    // It was told of this end. Another watcher was not.
    const others = patientProbe<Exit>(fixture);
    a.tell({ kind: 'watch', other: b, to: exits.ref });
    const second = await fixture.ask<Ref<WorkerMessage>>(a, (replyTo) => ({ kind: 'helper', replyTo }));
    second.tell({ kind: 'watch', other: b, to: others.ref });
    expect(await others.expect()).toEqual({ path: '/b', reason: { kind: 'shutdown' } });
    await fixture.ask(a, where);
    expect(exits.received).toHaveLength(1);
  });

  it('is not told to who has stopped watching', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    const here = fixture.system.spawn<never>(() => () => undefined, { name: 'here' });
    const exits = patientProbe<Exit>(fixture);
    ref.tell({ kind: 'watch', other: here, to: exits.ref });
    ref.tell({ kind: 'unwatch', other: here });
    await fixture.ask(ref, where);
    await fixture.system.stop(here);
    await fixture.ask(ref, where);
    expect(exits.received).toEqual([]);
  });
});

describe('a message that cannot cross', () => {
  it('fails at the sender, with the place of what is wrong', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    const value = { items: [{ ok: 1 }, { onDone: () => undefined }] };
    await expect(echo(fixture, ref, value)).rejects.toMatchObject({
      code: 'MESSAGE_NOT_PLAIN',
      details: { path: 'message.value.items[1].onDone' },
    });
    expect(await echo(fixture, ref, 'still there')).toBe('still there');
  });

  it('fails at the sender on a shard as well', async () => {
    await using fixture = shardsFixture();
    const ref = await fixture.worker('w');
    const probe = patientProbe<unknown>(fixture);
    ref.tell({ kind: 'function', to: probe.ref });
    const { reason } = await fixture.system.ended(ref);
    expect(reason).toMatchObject({
      error: { code: 'MESSAGE_NOT_PLAIN', details: { path: 'message.deep[0].callback' } },
    });
    expect(probe.received).toEqual([]);
  });

  it('nor can such arguments', async () => {
    await using fixture = shardsFixture();
    // The types forbid this, but not every user has them.
    const prefix = (() => 'x') as unknown as string;
    await expect(fixture.worker('w', { prefix })).rejects.toMatchObject({
      code: 'MESSAGE_NOT_PLAIN',
      details: { path: 'message.prefix' },
    });
  });
});

describe('limits', () => {
  it('a shard that does not keep up makes its senders wait, and their mailbox rule decides', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const { start, ...options } = fixture.shards.actor('worker', {}, { capacity: 50_000 });
    const ref = await fixture.system.start(start, { ...options, name: 'w' });
    let refused = 0;
    for (let n = 0; n < 60_000; n++) if (!ref.tell({ kind: 'note', n })) refused += 1;
    expect(refused).toBe(10_000);
    // The proxy takes its turn, and its mailbox has room again.
    await new Promise(setImmediate);
    expect(fixture.deadLetters.every(({ to, why }) => to === '/w' && why === 'mailbox-full')).toBe(true);
    const notes = await fixture.ask<readonly number[]>(ref, (replyTo) => ({ kind: 'notes', replyTo }));
    expect(notes).toEqual(Array.from({ length: 50_000 }, (_, n) => n));
  });

  it('refs that nobody over there holds any more are forgotten here', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const ref = await fixture.worker('w');
    for (let n = 0; n < 100; n++) await fixture.ask(ref, where);
    const [stats] = await fixture.shards.stats();
    expect(stats).toMatchObject({ shard: 0, state: 'up', lost: 0, worker: { actors: 1 } });
  });

  it('an unknown behaviour is named', async () => {
    await using fixture = shardsFixture();
    // As above.
    const { start } = fixture.shards.actor('nobody' as 'worker', {});
    await expect(fixture.system.start(start)).rejects.toMatchObject({ code: 'SHARD_BEHAVIOUR_UNKNOWN' });
  });

  it('no shards at all are refused', () => {
    expect(() => shardsFixture({ count: 0 })).toThrow('from 1 up, got `0`');
  });
});
