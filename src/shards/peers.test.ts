import { describe, expect, it } from 'vitest';
import type { Ref, TreeNode } from '../actors/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { transfer } from './mod.ts';
import type { WorkerMessage } from './testing/behaviours.ts';
import { patientProbe, type ShardsFixture, shardsFixture } from './testing/fixture.ts';

const MANY = 3_000;

const where = (replyTo: Ref<{ shard: number }>): WorkerMessage => ({ kind: 'where', replyTo });
const notes = (replyTo: Ref<readonly number[]>): WorkerMessage => ({ kind: 'notes', replyTo });

/** Two workers on different shards. */
async function two(fixture: ShardsFixture): Promise<[Ref<WorkerMessage>, Ref<WorkerMessage>]> {
  return [await fixture.worker('a'), await fixture.worker('b')];
}

/** `from` asks `to`, and is told what it says. */
function asks(fixture: ShardsFixture, from: Ref<WorkerMessage>, to: Ref<WorkerMessage>, value: unknown) {
  return fixture.ask<unknown>(from, (replyTo) => ({ kind: 'ask', other: to, value, replyTo }));
}

/** Messages that the proxy of a top-level actor has handled: those that went through the main thread. */
function passedOn({ system }: ShardsFixture, path: string): number | undefined {
  const find = (nodes: readonly TreeNode[]): TreeNode | undefined =>
    nodes.map((node) => (node.path === path ? node : find(node.children))).find((node) => node !== undefined);
  return find(system.tree().children)?.handled;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

describe('messages from one shard to another', () => {
  it('and their replies do not go through the main thread', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await two(fixture);
    for (let n = 0; n < 20; n++) expect(await asks(fixture, a, b, n)).toBe(n);
    a.tell({ kind: 'note-at', to: b, upTo: 30 });
    await fixture.ask(a, where);
    await expect.poll(() => fixture.ask(b, notes), { timeout: 30_000 }).toHaveLength(30);
    const own = passedOn(fixture, '/b') ?? 0;
    await fixture.ask(b, where);
    // Only what this thread asks.
    expect(passedOn(fixture, '/b')).toBe(own + 1);
    expect(own).toBeLessThan(20);
  });

  it('keep their order, although those with refs are translated by the main thread', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await two(fixture);
    a.tell({ kind: 'note-at', to: b, upTo: MANY });
    await expect.poll(async () => (await fixture.ask(b, notes)).length, { timeout: 30_000 }).toBe(MANY);
    expect(await fixture.ask(b, notes)).toEqual(upTo(MANY));
    expect(fixture.system.deadLetters.count).toBe(0);
  });

  it('keep their order when they begin to go straight there', async () => {
    await using fixture = shardsFixture();
    const a = await fixture.worker('a');
    const { start, ...options } = fixture.shards.actor('worker', { startMs: 50 });
    // It is known before it has a place, and what it is told waits for that.
    const b = fixture.system.spawn(start, { ...options, name: 'b' });
    let sent = 0;
    let through = 0;
    for (let round = 0; round < 1_000 && through === sent; round++) {
      for (let n = 0; n < 10; n++) a.tell({ kind: 'pass-on', to: b, message: { kind: 'note', n: sent++ } });
      await fixture.ask(a, where);
      // By then all that goes through the main thread has passed it.
      await new Promise(setImmediate);
      through = passedOn(fixture, '/b') ?? 0;
    }
    expect(through).toBeLessThan(sent);
    await expect.poll(async () => (await fixture.ask(b, notes)).length, { timeout: 30_000 }).toBe(sent);
    expect(await fixture.ask(b, notes)).toEqual(upTo(sent));
  });

  it('take their buffers along, if the main thread need not translate them', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await two(fixture);
    const bytes = new Uint8Array([1, 2, 3]);
    const message = transfer({ kind: 'echo-bytes', bytes, at: b } as const, [bytes.buffer]);
    expect(await fixture.ask<unknown>(a, (replyTo) => ({ ...message, replyTo }))).toEqual([
      0,
      new Uint8Array([1, 2, 3]),
    ]);
  });

  it('keep their place beside a reply to a request with refs', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await two(fixture);
    // `b` knows `a` before, and tells it everything straight.
    expect(await asks(fixture, b, a, 0)).toBe(0);
    const seen = patientProbe<readonly number[]>(fixture);
    a.tell({ kind: 'ask-note', other: b, self: a, count: 100, replyTo: seen.ref });
    expect(await seen.expect<readonly number[]>()).toEqual(upTo(200));
  });

  it('come before the news that their sender has ended', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await two(fixture);
    const seen = patientProbe<readonly number[]>(fixture);
    a.tell({ kind: 'notes-at-end', other: b, replyTo: seen.ref });
    await fixture.ask(a, where);
    // When it comes back, all has come by both ways.
    a.tell({ kind: 'compute', ms: 300 });
    b.tell({ kind: 'note-at', to: a, upTo: MANY });
    b.tell({ kind: 'end' });
    expect(await seen.expect<readonly number[]>()).toEqual(upTo(MANY));
  });

  it('come before the news that the shard of their sender is lost', async () => {
    await using fixture = shardsFixture();
    const [a, b] = await two(fixture);
    const seen = patientProbe<readonly number[]>(fixture);
    a.tell({ kind: 'notes-at-end', other: b, replyTo: seen.ref });
    await fixture.ask(a, where);
    // When it comes back, all has come by both ways.
    a.tell({ kind: 'compute', ms: 300 });
    b.tell({ kind: 'note-at', to: a, upTo: MANY });
    b.tell({ kind: 'exit-now' });
    expect(await seen.expect<readonly number[]>()).toEqual(upTo(MANY));
    expect(fixture.system.deadLetters.count).toBe(0);
  });

  it('go straight there again when an actor has found another shard', async () => {
    await using fixture = shardsFixture({ count: 3 });
    let b: Ref<WorkerMessage> | undefined;
    const a = await fixture.worker('a');
    const start = supervisor({
      children: [
        child({
          id: 'b',
          ...fixture.shards.actor('worker', {}),
          onRef: (ref: Ref<WorkerMessage>) => {
            b = ref;
          },
        }),
      ],
    });
    await fixture.system.start(start, { name: 'top' });
    if (b === undefined) throw new Error('it has been started');
    const ref = b;
    expect(await asks(fixture, a, ref, 1)).toBe(1);
    const { shard } = await fixture.ask(ref, where);
    fixture.shards.replace(shard, 'a test');
    await fixture.untilEvent(({ kind }) => kind === 'shard-lost');
    // It takes nothing until it is there again.
    await expect.poll(() => asks(fixture, a, ref, 2), { timeout: 30_000 }).toBe(2);
    await expect
      .poll(
        async () => {
          const before = passedOn(fixture, '/top/b');
          await asks(fixture, a, ref, 3);
          return passedOn(fixture, '/top/b') === before;
        },
        { timeout: 30_000 },
      )
      .toBe(true);
  });
});
