import { describe, expect, it } from 'vitest';
import type { Ref } from '../actors/mod.ts';
import { WINDOW } from './batch-writer.ts';
import { transfer } from './mod.ts';
import type { TestOptions } from './testing/behaviours.ts';
import { patientProbe, shardsFixture } from './testing/fixture.ts';

const FLOOD = 3 * WINDOW;

describe('a flood', () => {
  it('through an actor on a shard arrives whole and in order', async () => {
    await using fixture = shardsFixture();
    const received: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const sink = fixture.system.spawn<number>(() => (n) => {
      if (received.push(n) === FLOOD) resolve();
    });
    const relay = await fixture.worker('relay');
    for (let n = 0; n < FLOOD; n++) expect(relay.tell({ kind: 'pass-on', to: sink, message: n })).toBe(true);
    await promise;
    expect(received.every((n, index) => n === index)).toBe(true);
    expect(fixture.system.deadLetters.count).toBe(0);
  });

  it('through two shards and back does not stand still', async () => {
    await using fixture = shardsFixture();
    const received = patientProbe<number>(fixture);
    const [a, b] = await Promise.all([fixture.worker('a'), fixture.worker('b')]);
    for (let n = 0; n < FLOOD; n++) {
      const last = { kind: 'pass-on', to: received.ref, message: n } as const;
      const back = { kind: 'pass-on', to: a, message: last } as const;
      a.tell({ kind: 'pass-on', to: b, message: back });
    }
    await received.fishFor((n) => n === FLOOD - 1);
    expect(fixture.system.deadLetters.count).toBe(0);
  });

  it('that is offered to an actor with a small mailbox on a shard arrives whole', async () => {
    await using fixture = shardsFixture();
    const { start, ...options } = fixture.shards.actor('worker', {}, { capacity: 10 });
    const slow = await fixture.system.start(start, options);
    let taken = 0;
    for (let n = 0; n < 2_000; n++) if (await fixture.system.offer(slow, { kind: 'note', n })) taken += 1;
    expect(taken).toBe(2_000);
    // The last ones may still fill the mailbox.
    const notes = patientProbe<readonly number[]>(fixture);
    await fixture.system.offer(slow, { kind: 'notes', replyTo: notes.ref });
    expect(await notes.fishFor(Array.isArray)).toHaveLength(2_000);
    expect(fixture.system.deadLetters.count).toBe(0);
  });

  it('that one actor does not keep up with holds up nobody else on its shard', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const { start, ...options } = fixture.shards.actor('worker', {}, { capacity: 10, stopTimeoutMs: 1 });
    const stuck = await fixture.system.start(start, options);
    const other = await fixture.worker('other');
    stuck.tell({ kind: 'wait', ms: 3_600_000 });
    for (let n = 0; n < 2 * WINDOW; n++) stuck.tell({ kind: 'note', n });
    expect(await fixture.ask(other, (replyTo) => ({ kind: 'echo', value: 'here', replyTo }))).toBe('here');
  });
});

describe('an actor on a shard whose mailbox is full', () => {
  it('ends when it is stopped, and not at its time limit', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const { start, ...options } = fixture.shards.actor('worker', {}, { capacity: 1, stopTimeoutMs: 20_000 });
    const full = await fixture.system.start(start, options);
    const other = await fixture.worker('other');
    full.tell({ kind: 'wait-for-end' });
    for (let n = 0; n < 3; n++) expect(await fixture.system.offer(full, { kind: 'note', n })).toBe(true);
    // By then the shard has said that the mailbox is full.
    await fixture.ask(other, (replyTo) => ({ kind: 'echo', value: 'here', replyTo }));
    full.tell({ kind: 'note', n: 3 });
    await new Promise(setImmediate);
    await fixture.system.stop(full);
    expect(await fixture.system.ended(full)).toMatchObject({ reason: { kind: 'shutdown' } });
    await expect.poll(() => fixture.system.deadLetters.count, { timeout: 30_000 }).toBe(4);
  });
});

describe('an offer from a shard', () => {
  it('waits for room in the mailbox on the main thread, and none is lost', async () => {
    await using fixture = shardsFixture();
    const seen: unknown[] = [];
    const narrow = fixture.system.spawn<unknown>(() => (message) => void seen.push(message), { capacity: 1 });
    const relay = await fixture.worker('relay');
    const answers = patientProbe<boolean>(fixture);
    for (let n = 0; n < 100; n++) relay.tell({ kind: 'offer', to: narrow, message: n, answer: answers.ref });
    await answers.fishFor(() => answers.received.length === 100);
    expect(answers.received.every((taken) => taken)).toBe(true);
    await expect.poll(() => seen.length, { timeout: 30_000 }).toBe(100);
  });
});

describe('the count of messages', () => {
  it('holds when a thread ends: what was sent was handled, or is a dead letter', async () => {
    await using fixture = shardsFixture({ count: 1 });
    let handled = 0;
    const sink = fixture.system.spawn<number>(() => () => {
      handled += 1;
    });
    const relay = await fixture.worker('relay');
    for (let n = 0; n < 1_000; n++) {
      relay.tell(n === 500 ? { kind: 'exit-now' } : { kind: 'pass-on', to: sink, message: n });
    }
    await fixture.system.ended(relay);
    await fixture.untilEvent(({ kind }) => kind === 'shard-lost');
    // All before the 500th have passed, which ended the thread; the others are dead with it.
    await expect.poll(() => handled, { timeout: 30_000 }).toBe(500);
    expect(fixture.system.deadLetters.count).toBe(499);
  });

  it('holds when a thread that does not end is ended', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const relay = await fixture.worker('relay');
    relay.tell({ kind: 'wait', ms: 3_600_000 });
    for (let n = 0; n < 1_000; n++) relay.tell({ kind: 'note', n });
    await fixture.shards.stats();
    fixture.shards.replace(0, 'a test');
    await fixture.system.ended(relay);
    await fixture.untilEvent(({ kind }) => kind === 'shard-lost');
    // Whether the actor had begun to wait when its thread was ended is chance.
    expect([1_000, 1_001]).toContain(fixture.system.deadLetters.count);
  });

  it('has a message that could not be posted once, also when its thread ends', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const relay = await fixture.worker('relay');
    const to = fixture.system.spawn<unknown>(() => () => undefined);
    relay.tell({ kind: 'hidden-function', to });
    relay.tell({ kind: 'echo', value: Object.assign([1], { hidden: () => 1 }), replyTo: to });
    await expect.poll(() => fixture.system.deadLetters.count, { timeout: 30_000 }).toBe(2);
    fixture.shards.replace(0, 'a test');
    await fixture.untilEvent(({ kind }) => kind === 'shard-lost');
    expect(fixture.deadLetters.map(({ why }) => why)).toEqual(['invalid', 'invalid']);
  });

  it('has all dead letters of a shard, although only some are told one by one', async () => {
    await using fixture = shardsFixture();
    const relay = await fixture.worker('relay');
    const gone = await fixture.ask<Ref<never>>(relay, (replyTo) => ({ kind: 'gone', replyTo }));
    for (let n = 0; n < 1_000; n++) relay.tell({ kind: 'pass-on', to: gone, message: n });
    await expect.poll(() => fixture.system.deadLetters.count, { timeout: 30_000 }).toBe(1_000);
  });
});

describe('a message', () => {
  it('with what a clone would fail at is refused at the sender, with its place', async () => {
    await using fixture = shardsFixture();
    const worker = await fixture.worker('a');
    const received = patientProbe<unknown>(fixture);
    const send = (value: unknown) => () => worker.tell({ kind: 'echo', value, replyTo: received.ref });
    const detached = new ArrayBuffer(8);
    const view = new Uint8Array(detached);
    structuredClone(detached, { transfer: [detached] });
    expect(send({ state: new Proxy({}, {}) })).toThrow(/a Proxy at `message\.value\.state`/);
    expect(send([new Proxy([], {})])).toThrow(/a Proxy at `message\.value\[0\]`/);
    expect(send({ bytes: detached })).toThrow(/a detached buffer at `message\.value\.bytes`/);
    expect(send(view)).toThrow(/detached/);
  });

  it('shares memory where that is asked for, also from shard to shard', async () => {
    await using fixture = shardsFixture();
    const [a, b] = [await fixture.worker('a'), await fixture.worker('b')];
    const shared = new SharedArrayBuffer(8);
    const bytes = new Uint8Array(shared, 4, 2);
    const touch = (replyTo: Ref<unknown>) =>
      transfer({ kind: 'touch', bytes, hops: [b, a], replyTo } as const, [shared]);
    // `touch` replies so.
    const reply = (await fixture.ask(a, touch)) as { bytes: Uint8Array };
    expect(new Uint8Array(shared)[4]).toBe(3);
    reply.bytes[1] = 7;
    expect([reply.bytes.length, new Uint8Array(shared)[5]]).toEqual([2, 7]);
  });

  it.each([
    ['a SharedArrayBuffer', new SharedArrayBuffer(8)],
    ['a view of a SharedArrayBuffer', new Int32Array(new SharedArrayBuffer(8))],
  ])('does not share %s unasked, and says how to ask', async (what, memory) => {
    await using fixture = shardsFixture();
    const worker = await fixture.worker('a');
    const replyTo = fixture.system.spawn<unknown>(() => () => undefined);
    const send = (value: unknown) => () => worker.tell({ kind: 'echo', value, replyTo });
    const refused = `got ${what} at \`message.value\`. To share its memory with the other thread, send \`transfer(`;
    expect(send(memory)).toThrow(refused);
    expect(send(new Map([['m', memory]]))).toThrow(what);
  });

  it('gives buffers away that are marked', async () => {
    await using fixture = shardsFixture();
    const worker = await fixture.worker('a');
    const bytes = new Uint8Array([1, 2, 3]);
    const reply = await fixture.ask<unknown>(worker, (replyTo) =>
      transfer({ kind: 'echo', value: { bytes }, replyTo }, [bytes.buffer]),
    );
    expect([bytes.length, reply]).toEqual([0, { bytes: new Uint8Array([1, 2, 3]) }]);
  });
});

describe('an ask whose message turns out not to be cloneable', () => {
  function changing(): object {
    let reads = 0;
    return {
      get field() {
        reads += 1;
        return reads === 1 ? 1 : () => 1;
      },
    };
  }

  it.each([
    ['when it is posted', () => Object.assign([1], { hidden: () => 1 })],
    ['when it leaves the proxy', changing],
  ])('fails at once, %s', async (_when, make) => {
    await using fixture = shardsFixture({ count: 1 });
    const worker = await fixture.worker('a');
    const asked = fixture.ask(worker, (replyTo) => ({ kind: 'echo', value: make(), replyTo }));
    await expect(asked).rejects.toMatchObject({ code: 'MESSAGE_NOT_PLAIN' });
    expect(fixture.deadLetters).toMatchObject([{ why: 'invalid', error: { code: 'MESSAGE_NOT_PLAIN' } }]);
  });
});

describe('buffers that move', () => {
  it('do so from a map too, and with an offer', async () => {
    await using fixture = shardsFixture();
    const worker = await fixture.worker('a');
    const received = patientProbe<unknown>(fixture);
    const pool = new Uint8Array([1, 2, 3, 4]);
    // Views of a part of the memory: copied, they would have memory of their own.
    const value = new Map([['part', new Set([pool.subarray(1, 3)])]]);
    const message = transfer({ kind: 'echo', value, replyTo: received.ref } as const, [pool.buffer]);
    expect(await fixture.system.offer(worker, message)).toBe(true);
    expect(await received.expect()).toEqual(new Map([['part', new Set([new Uint8Array([2, 3])])]]));
    expect(pool.length).toBe(0);
  });

  it('are those of the message, and can move', async () => {
    await using fixture = shardsFixture();
    const worker = await fixture.worker('a');
    const message = (value: unknown) => ({ kind: 'echo', value, replyTo: { path: '/x', tell: () => true } }) as const;
    const stranger = new ArrayBuffer(8);
    expect(() => worker.tell(transfer(message(1), [stranger]))).toThrow('no place for a buffer that is to move');
    expect(stranger.detached).toBe(false);
    const pooled = Buffer.from('hello');
    // Node's buffers have no shared memory.
    const pool = pooled.buffer as ArrayBuffer;
    expect(() => worker.tell(transfer(message(pooled), [pool]))).toThrow('a buffer that cannot be moved');
    const twice = new Uint8Array(8);
    expect(worker.tell(transfer(message(twice), [twice.buffer, twice.buffer]))).toBe(true);
    // JavaScript users pass views.
    expect(() => transfer(message(1), [new Uint8Array(8) as unknown as ArrayBuffer])).toThrow('such as `bytes.buffer`');
  });

  it('are refused in arguments, which the next start needs too', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const bytes = new Uint8Array(8);
    const { start } = fixture.shards.actor('worker', transfer({ prefix: 'x', bytes }, [bytes.buffer]));
    await expect(fixture.system.start(start)).rejects.toThrow('without `transfer`');
    // What cannot be cloned after all is refused in the same way.
    const odd = fixture.shards.actor('worker', Object.assign([], { prefix: () => 'x' }) as object);
    await expect(fixture.system.start(odd.start)).rejects.toMatchObject({ code: 'MESSAGE_NOT_PLAIN' });
  });
});

describe('a shard', () => {
  it('that works through a backlog of slow messages does not hang', async () => {
    await using fixture = shardsFixture({ count: 1, hangMs: 300, beatMs: 100 });
    const worker = await fixture.worker('a');
    for (let n = 0; n < 300; n++) worker.tell({ kind: 'compute', ms: 3 });
    expect(await fixture.ask(worker, (replyTo) => ({ kind: 'echo', value: 1, replyTo }))).toBe(1);
    expect(fixture.events.filter(({ kind }) => kind === 'shard-lost')).toEqual([]);
  });

  it('that handles messages does not hang, although no heartbeat comes', async () => {
    // A thread that is busy enough may send none for long. This one sends none at all.
    const source = `
      globalThis.setTimeout = () => ({ ref() {}, unref() {} });
      export const behaviours = () => ({ worker: () => () => () => undefined });`;
    const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    await using fixture = shardsFixture({ count: 1, hangMs: 1_000, beatMs: 100, module });
    const worker = await fixture.worker('a');
    const endMs = performance.now() + 3_000;
    for (let n = 0; performance.now() < endMs; n++) {
      worker.tell({ kind: 'note', n });
      // pause: until it has been silent for longer than it may be
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(fixture.events.filter(({ kind }) => kind === 'shard-lost')).toEqual([]);
    // It hangs as soon as it handles none.
    await fixture.system.ended(worker);
    expect(fixture.events.filter(({ kind }) => kind === 'shard-lost')).toHaveLength(1);
  });

  it('that cannot start holds up no actor for which there is another shard', async () => {
    const source = `
      export const behaviours = ({ index }) => {
        if (index === 0) throw new Error('not here');
        return { worker: () => () => () => undefined };
      };`;
    const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    await using fixture = shardsFixture({ module });
    const places: number[] = [];
    const { start } = fixture.shards.actor('worker', {}, { onPlaced: (shard) => void places.push(shard) });
    await fixture.system.start(start);
    expect(places).toEqual([1]);
  });

  it('that could not start at first takes actors once it is up', async () => {
    const tries = new Int32Array(new SharedArrayBuffer(4));
    const source = `
      export const behaviours = (_home, { tries }) => {
        if (Atomics.add(tries, 0, 1) === 0) throw new Error('not yet');
        return { worker: () => () => () => undefined };
      };`;
    const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    // The module takes this instead.
    const options = transfer({ tries }, [tries.buffer]) as unknown as TestOptions;
    await using fixture = shardsFixture({ count: 1, module, options });
    await expect(fixture.worker('a')).rejects.toMatchObject({ code: 'SHARD_MODULE' });
    await fixture.untilEvent(({ kind }) => kind === 'shard-up');
    expect(await fixture.worker('b')).toBeDefined();
  });

  it('whose module cannot be loaded fails the actors that wait for it at once, with the cause', async () => {
    const module = new URL('./no-such-module.ts', import.meta.url);
    await using fixture = shardsFixture({ module });
    await expect(fixture.worker('a')).rejects.toMatchObject({
      code: 'SHARD_MODULE',
      message: expect.stringContaining(`the module ${module.href} cannot be loaded: Cannot find module`),
      cause: { code: 'ERR_MODULE_NOT_FOUND' },
    });
  });

  it.each([
    ['throws', 'throw new Error("too early")', 'cannot be loaded: too early'],
    ['has no `behaviours`', 'export const behaviors = 1', 'has no function `behaviours`: that is `undefined`'],
    [
      'has `behaviours` that throw',
      'export function behaviours() { throw 7 }',
      'has a function `behaviours` that failed: 7',
    ],
    ['returns nothing', 'export function behaviours() {}', 'returns no factories by name, but `undefined`'],
  ])('whose module %s names it', async (_what, source, why) => {
    const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    for (const count of [1, 2]) {
      await using fixture = shardsFixture({ module, count });
      const refused = { code: 'SHARD_MODULE', message: expect.stringContaining(`the module ${module.href} `) };
      await expect(fixture.worker('a')).rejects.toMatchObject(refused);
      await expect(fixture.worker('b')).rejects.toThrow(why);
    }
  });
});

describe('listeners of shards', () => {
  // An unhandled rejection fails the run of the tests, as it would end a process.
  it('that are async and fail end nobody', async () => {
    const reject = (): Promise<void> => Promise.reject(new Error('async'));
    await using fixture = shardsFixture({ count: 1, onEvent: reject, onFailure: reject });
    const { start, ...options } = fixture.shards.actor('worker', {}, { onPlaced: reject });
    const ref = await fixture.system.start(start, options);
    ref.tell({ kind: 'fail-child' });
    await fixture.system.ended(ref);
    expect(await fixture.worker('b')).toBeDefined();
  });
});
