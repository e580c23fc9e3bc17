import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Exit, Ref } from '../actors/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { transfer } from './mod.ts';
import type { WorkerMessage } from './testing/behaviours.ts';
import { patientProbe, shardsFixture } from './testing/fixture.ts';

/** Short, so that a thread that hangs is found out soon, and long enough for a busy machine. */
const HEARTBEAT = { beatMs: 50, hangMs: 1_500 };

const TRIES_MAX = 100_000;

const FAULTS = [
  ['exits', 'exit', /ended with exit code 7/],
  ['throws where nobody catches', 'throw', /it threw: an injected fault/],
  ['runs out of memory', 'out-of-memory', /out of memory/],
  ['never comes back', 'loop', /it hung/],
] as const;

const where = (replyTo: Ref<{ shard: number }>): WorkerMessage => ({ kind: 'where', replyTo });

describe.each(FAULTS)('a shard that %s', (_what, fault, why) => {
  it('is told to who watches its actors, and a fresh one takes its place', async () => {
    await using fixture = shardsFixture({ ...HEARTBEAT, count: 1, heapMbMax: 64 });
    const ref = await fixture.worker('w');
    const exits = patientProbe<Exit>(fixture);
    fixture.system.spawn<Exit>((context) => {
      context.watch(ref, (exit) => exit);
      return (exit) => void exits.ref.tell(exit);
    });
    ref.tell({ kind: 'fault', fault });
    const { reason } = await exits.expect<Exit>();
    expect(reason).toMatchObject({
      kind: 'error',
      error: { code: 'SHARD_LOST', message: expect.stringMatching(why), details: { shard: 0 } },
    });
    expect(fixture.failures).toEqual(['/w SHARD_LOST']);
    const again = await fixture.worker('w');
    expect(await fixture.ask(again, where)).toMatchObject({ shard: 0 });
    expect(fixture.loaded).toEqual([0, 0]);
    expect(await fixture.shards.stats()).toMatchObject([{ state: 'up', lost: 1, worker: { actors: 1 } }]);
  });

  it('ends what waits for it at once, and nothing else', async () => {
    await using fixture = shardsFixture({ ...HEARTBEAT, heapMbMax: 64 });
    const [lost, other] = await Promise.all([fixture.worker('lost'), fixture.worker('other')]);
    // The actor does not answer while it waits.
    lost.tell({ kind: 'fault', fault });
    lost.tell({ kind: 'wait', ms: 3_600_000 });
    await expect(fixture.ask(lost, where)).rejects.toMatchObject({ code: 'SHARD_LOST' });
    expect(await fixture.ask(other, where)).toBeDefined();
    expect(fixture.failures).toEqual(['/lost SHARD_LOST']);
  });
});

describe('a shard that is not lost', () => {
  it('is one that starts many actors, each of which takes a while', async () => {
    await using fixture = shardsFixture({ count: 1, ...HEARTBEAT });
    const starts = Array.from({ length: 40 }, (_, n) => fixture.worker(`w${n}`, { startComputeMs: 80 }));
    await Promise.all(starts);
    expect(await fixture.shards.stats()).toMatchObject([{ state: 'up', lost: 0 }]);
  });

  it('is one that is sent buffers that were given away already, nor does its actor end', async () => {
    await using fixture = shardsFixture({ count: 1, ...HEARTBEAT });
    const [one, two] = await Promise.all([fixture.worker('one'), fixture.worker('two')]);
    const value = new Uint8Array(8);
    const replyTo = fixture.system.spawn<unknown>(() => () => undefined);
    for (const ref of [one, two]) ref.tell(transfer({ kind: 'echo', value, replyTo }, [value.buffer]));
    await expect.poll(() => fixture.system.deadLetters.count, { timeout: 30_000 }).toBe(1);
    expect(fixture.deadLetters).toMatchObject([{ to: '/two', why: 'invalid', error: { code: 'MESSAGE_NOT_PLAIN' } }]);
    await Promise.all([one, two].map((ref) => fixture.ask(ref, where)));
    expect(fixture.failures).toEqual([]);
  });

  it('tells a dead letter whose message cannot be shown', async () => {
    await using fixture = shardsFixture({ count: 1, ...HEARTBEAT });
    const ref = await fixture.worker('w');
    ref.tell({ kind: 'dead-letter-that-throws' });
    await expect.poll(() => fixture.system.deadLetters.count, { timeout: 30_000 }).toBe(1);
    expect(fixture.deadLetters).toMatchObject([{ message: 'a message that cannot be shown' }]);
  });

  it('is one that was not heard because nobody listened', async () => {
    await using fixture = shardsFixture({ count: 1, ...HEARTBEAT });
    const ref = await fixture.worker('w');
    for (let round = 0; round < 2; round++) {
      // The main thread stands still, as when its process is stopped. The test is about time that passes.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * HEARTBEAT.hangMs);
      expect(await fixture.ask(ref, where)).toMatchObject({ shard: 0 });
    }
    expect(fixture.events.map(({ kind }) => kind)).toEqual(['shard-up']);
  });
});

describe('a shard that is lost', () => {
  it('answers for its actors to whom they have not answered', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await Promise.all([fixture.worker('a'), fixture.worker('b')]);
    const { shard } = await fixture.ask(b, where);
    // `a` passes the question on to `b`, which never gets to it.
    b.tell({ kind: 'wait', ms: 3_600_000 });
    const asked = fixture.ask<unknown>(a, (replyTo) => ({ kind: 'ask', other: b, value: 1, replyTo }));
    await fixture.ask(a, where);
    fixture.shards.replace(shard, 'a test');
    expect(await asked).toMatchObject({ code: 'ACTOR_STOPPED', cause: { code: 'SHARD_LOST' } });
    // Only the lost shard could have answered this.
    const here = fixture.system.spawn<WorkerMessage>(() => (message) => void b2.tell(message));
    const b2 = await fixture.worker('b2');
    const through = await fixture.ask(b2, where);
    b2.tell({ kind: 'wait', ms: 3_600_000 });
    const passedOn = fixture.ask(here, where);
    await fixture.shards.stats();
    fixture.shards.replace(through.shard, 'a test');
    await expect(passedOn).rejects.toMatchObject({ code: 'SHARD_LOST' });
  });

  it('has one id in the ends of all its actors, and the next loss another', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const lossIds: (string | undefined)[] = [];
    for (let round = 0; round < 2; round++) {
      const refs = await Promise.all([fixture.worker('a'), fixture.worker('b')]);
      const child = await fixture.ask<Ref<WorkerMessage>>(refs[0], (replyTo) => ({ kind: 'helper', replyTo }));
      const ends = [...refs, child].map((ref) => fixture.system.ended(ref));
      fixture.shards.replace(0, 'a test');
      for (const { reason } of await Promise.all(ends)) {
        lossIds.push(reason.kind === 'error' ? reason.lossId : undefined);
      }
    }
    const [first, , , second] = lossIds;
    expect(lossIds).toEqual([first, first, first, second, second, second]);
    expect([typeof first, typeof second]).toEqual(['string', 'string']);
    expect(first).not.toBe(second);
  });

  it('is no end for those who are supervised: the same ref goes on elsewhere, and all count as one restart', async () => {
    await using fixture = shardsFixture();
    const refs: Ref<WorkerMessage>[] = [];
    const children = ['a', 'b', 'c'].map((id) =>
      child({ id, ...fixture.shards.actor('worker', {}), onRef: (ref: Ref<WorkerMessage>) => refs.push(ref) }),
    );
    await fixture.system.start(supervisor({ children, intensity: 1 }), { name: 'top' });
    const before = await Promise.all(refs.map((ref) => fixture.ask(ref, where)));
    expect(before.map(({ shard }) => shard)).toEqual([0, 1, 0]);
    fixture.shards.replace(0, 'a test');
    await fixture.untilEvent(({ kind }) => kind === 'shard-lost');
    const [a, b, c] = refs;
    if (a === undefined || b === undefined || c === undefined) throw new Error('they have been started');
    // Between two incarnations an actor takes no messages.
    const after = await Promise.all([a, b, c].map((ref) => answered(() => fixture.ask(ref, where))));
    expect(after.map(({ shard }) => shard)).toEqual([1, 1, 1]);
    expect(refs.slice(3)).toEqual(expect.arrayContaining([a, c]));
    expect(fixture.failures.toSorted()).toEqual(['/top/a SHARD_LOST', '/top/c SHARD_LOST']);
  });

  it('is left out when its actors are put up again', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await Promise.all([fixture.worker('a'), fixture.worker('b')]);
    const { shard } = await fixture.ask(a, where);
    const { shard: other } = await fixture.ask(b, where);
    fixture.shards.replace(shard, 'a test');
    await fixture.system.ended(a);
    const again = await fixture.worker('a');
    expect((await fixture.ask(again, where)).shard).toBe(other);
  });

  it('has said everything that it said before, and nothing twice', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const ref = await fixture.worker('w');
    const counted = patientProbe<number>(fixture);
    ref.tell({ kind: 'count', to: counted.ref, upTo: 3_000 });
    // The thread is gone in the next turn.
    ref.tell({ kind: 'fault', fault: 'exit' });
    await fixture.system.ended(ref);
    // All are in the mailbox by then; the probe still takes its time.
    await counted.fishFor((n) => n === 2_999);
    expect(counted.received).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  });

  it('in the middle of a batch: what came is a beginning of what was sent, in order', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const ref = await fixture.worker('w');
    const counted = patientProbe<number>(fixture);
    // As many as may be on their way to the main thread, so that none is refused.
    for (let round = 0; round < 8; round++) ref.tell({ kind: 'count', to: counted.ref, upTo: 1_000 });
    await counted.fishFor((n) => n === 999);
    fixture.shards.replace(0, 'a test');
    await fixture.system.ended(ref);
    const { received } = counted;
    expect(received).toEqual(received.map((_, index) => index % 1_000));
    // No message comes later.
    await fixture.worker('w');
    expect(counted.received).toBe(received);
  });

  it('is a dead end for its refs', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const started = patientProbe<Ref<WorkerMessage>>(fixture);
    const ref = await fixture.worker('w', { started: started.ref });
    const child = await fixture.ask<Ref<WorkerMessage>>(ref, (replyTo) => ({ kind: 'helper', replyTo }));
    expect(child.path).toBe('/w/helper');
    expect(await fixture.ask<unknown>(child, (replyTo) => ({ kind: 'echo', value: 1, replyTo }))).toBe(1);
    const asked = fixture.ask(child, (replyTo) => ({ kind: 'never', replyTo }));
    fixture.shards.replace(0, 'a test');
    await expect(asked).rejects.toMatchObject({ code: 'ACTOR_STOPPED', cause: { code: 'SHARD_LOST' } });
    expect(child.tell({ kind: 'end' })).toBe(false);
    expect(fixture.deadLetters.at(-1)).toMatchObject({ to: '/w/helper', why: 'stopped' });
    expect(await fixture.system.ended(child)).toMatchObject({ reason: { error: { code: 'SHARD_LOST' } } });
    await fixture.system.stop(child);
  });

  it('with its way full of messages makes dead letters of those that wait', async () => {
    await using fixture = shardsFixture({ count: 1, beatMs: 50, hangMs: 1_500 });
    const ref = await fixture.worker('w');
    ref.tell({ kind: 'fault', fault: 'loop' });
    while ((await fixture.shards.stats())[0]?.worker !== undefined);
    for (let n = 0; n < 20_000; n++) ref.tell({ kind: 'note', n });
    expect(await fixture.system.ended(ref)).toMatchObject({ reason: { error: { code: 'SHARD_LOST' } } });
    const letters = fixture.deadLetters.filter(({ to }) => to === '/w').map(({ message }) => message);
    // Messages that were under way are no dead letters. All others are, in order.
    expect(letters.length).toBeGreaterThan(20_000 - 10_000);
    expect(letters).toEqual(letters.map((_, index) => ({ kind: 'note', n: 20_000 - letters.length + index })));
  });

  it('is one whose buffers are too large', async () => {
    await using fixture = shardsFixture({ count: 1, beatMs: 50, bufferMbMax: 8 });
    const ref = await fixture.worker('w');
    ref.tell({ kind: 'hold', bytes: 16 * 1_048_576 });
    expect(await fixture.system.ended(ref)).toMatchObject({
      reason: {
        error: { code: 'SHARD_LOST', message: expect.stringMatching(/out of memory: its buffers have \d+ MB/) },
      },
    });
  });

  it('leaves no thread behind', async () => {
    await using fixture = shardsFixture({ count: 1 });
    await fixture.worker('first');
    const threads = threadCount();
    for (const end of ['replace', 'exit', 'throw'] as const) {
      const ref = await fixture.worker(end);
      if (end === 'replace') fixture.shards.replace(0, 'a test');
      else ref.tell({ kind: 'fault', fault: end });
      await fixture.system.ended(ref);
    }
    await fixture.worker('last');
    expect(threadCount()).toBe(threads);
  });

  it('again and again stays empty for a while, and those who want a place wait', async () => {
    await using fixture = shardsFixture({ count: 1 });
    for (let round = 0; round < 3; round++) {
      const ref = await fixture.worker('w');
      ref.tell({ kind: 'fault', fault: 'exit' });
      await fixture.system.ended(ref);
    }
    expect(await fixture.ask(await fixture.worker('w'), where)).toMatchObject({ shard: 0 });
    expect(fixture.events.filter(({ kind }) => kind === 'shard-lost')).toHaveLength(3);
  });

  it('while an actor starts on it is no failure of that actor', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const starts = patientProbe<Ref<WorkerMessage>>(fixture);
    let startMs = 3_600_000;
    const { start, ...options } = fixture.shards.actor('worker', () => ({ started: starts.ref, startMs }));
    const starting = fixture.system.start(start, { ...options, name: 'w' });
    await starts.expect();
    startMs = 0;
    fixture.shards.replace(0, 'a test');
    expect(await fixture.ask(await starting, where)).toMatchObject({ shard: 0 });
    expect(starts.received).toHaveLength(2);
    expect(fixture.failures).toEqual([]);
  });
});

/** Asks again until there is an answer. */
async function answered<R>(ask: () => Promise<R>): Promise<R> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const reply = await ask().catch(() => undefined);
    if (reply !== undefined) return reply;
    await new Promise(setImmediate);
  }
  throw new Error(`no answer to ${TRIES_MAX} questions`);
}

/** The threads of this process, as the kernel counts them. */
function threadCount(): number {
  return readdirSync('/proc/self/task').length;
}

describe('shards that are stopped', () => {
  it('let their actors clean up, end their threads, and take no more', async () => {
    const fixture = shardsFixture();
    const stopped = patientProbe<string>(fixture);
    const ref = await fixture.worker('w', { stopped: stopped.ref });
    await fixture.shards.stop();
    expect(await fixture.system.ended(ref)).toMatchObject({ reason: { kind: 'normal' } });
    expect(stopped.received).toEqual(['/w']);
    await expect(fixture.worker('late')).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
    await fixture[Symbol.asyncDispose]();
    expect(fixture.events.filter(({ kind }) => kind === 'shard-lost')).toEqual([]);
  });

  it('do not wait for one that hangs', async () => {
    await using fixture = shardsFixture({ count: 1, hangMs: 3_600_000 });
    const ref = await fixture.worker('w');
    ref.tell({ kind: 'fault', fault: 'loop' });
    // The shard may answer once more before it hangs.
    while ((await fixture.shards.stats())[0]?.worker !== undefined);
    await fixture.shards.stop(100);
    expect(await fixture.system.ended(ref)).toMatchObject({ reason: { error: { code: 'SHARD_LOST' } } });
  });

  it('whose module cannot be loaded say why', async () => {
    const here = await import('./mod.ts');
    await using fixture = shardsFixture({ count: 1, module: here.moduleBeside(import.meta.url, 'no-such-module') });
    await fixture.untilEvent(({ kind }) => kind === 'shard-lost');
    const [event] = fixture.events;
    expect(event).toMatchObject({
      kind: 'shard-lost',
      error: { message: expect.stringContaining('could not start'), cause: { code: 'SHARD_MODULE' } },
    });
  });
});
