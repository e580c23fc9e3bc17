import { describe, expect, it } from 'vitest';
import { type Listing, leastBusy, pool, type Ref, receptionist, serviceKey, topic } from '../actors/mod.ts';
import { child, childSpec, supervisor } from '../supervisor/mod.ts';
import type { WorkerMessage } from './testing/behaviours.ts';
import { patientProbe, shardsFixture } from './testing/fixture.ts';

const workers = serviceKey<WorkerMessage>('workers');

describe('a receptionist on the main thread', () => {
  it('lists actors of shards, which register themselves, until they or their shards end', async () => {
    await using fixture = shardsFixture();
    const desk = fixture.system.spawn(receptionist());
    const listings = patientProbe<Listing<WorkerMessage>>(fixture);
    desk.tell(workers.subscribe(listings.ref));
    const listed = async (): Promise<readonly unknown[]> => (await listings.expect()).refs;
    expect(await listed()).toEqual([]);
    const [a, b] = [await fixture.worker('a'), await fixture.worker('b')];
    for (const ref of [a, b]) ref.tell({ kind: 'pass-on', to: desk, message: workers.register(ref) });
    expect(await listed()).toHaveLength(1);
    expect(new Set(await listed())).toEqual(new Set([a, b]));
    await fixture.system.stop(a);
    expect(await listed()).toEqual([b]);
    b.tell({ kind: 'exit-now' });
    expect(await listed()).toEqual([]);
  });
});

describe('a topic on the main thread', () => {
  it('takes subscribers and messages from shards', async () => {
    await using fixture = shardsFixture();
    const ref = fixture.system.spawn(topic<WorkerMessage>());
    const [a, b] = [await fixture.worker('a'), await fixture.worker('b')];
    const subscribe = { kind: 'subscribe', subscriber: a };
    a.tell({ kind: 'pass-on', to: ref, message: subscribe });
    await fixture.ask(a, (replyTo) => ({ kind: 'echo', value: 'subscribed', replyTo }));
    const replies = patientProbe<unknown>(fixture);
    const echo: WorkerMessage = { kind: 'echo', value: 'from b', replyTo: replies.ref };
    b.tell({ kind: 'pass-on', to: ref, message: { kind: 'publish', message: echo } });
    expect(await replies.expect()).toBe('from b');
  });
});

describe('a pool over shards', () => {
  it('outlives a message that cannot cross: its sender gets the error, and the members keep their state', async () => {
    await using fixture = shardsFixture();
    const { start, ...member } = fixture.shards.actor('worker', {});
    const workers = pool(start, { size: 2, routing: leastBusy, member });
    const ref: Ref<WorkerMessage> = await fixture.system.start(workers, { name: 'pool' });
    const everyone = { kind: 'pool.broadcast', message: { kind: 'note', n: 1 } };
    // The types of the workers' messages leave the pool's own out.
    ref.tell(everyone as unknown as WorkerMessage);
    const hostile = { kind: 'echo', value: () => 1 } as const;
    await expect(fixture.ask(ref, (replyTo) => ({ ...hostile, replyTo }))).rejects.toMatchObject({
      code: 'MESSAGE_NOT_PLAIN',
    });
    const notes = (): Promise<unknown> => fixture.ask(ref, (replyTo) => ({ kind: 'notes', replyTo }));
    expect([await notes(), await notes()]).toEqual([[1], [1]]);
    expect(fixture.failures).toEqual([]);
    expect(fixture.deadLetters).toMatchObject([
      { why: 'invalid', from: '/pool', error: { code: 'MESSAGE_NOT_PLAIN' } },
    ]);
  });
});

describe('a supervisor on the main thread', () => {
  it('outlives a question whose answer cannot cross, and the asker learns why', async () => {
    await using fixture = shardsFixture({ count: 1 });
    const { start, ...options } = fixture.shards.actor('worker', {});
    const boss = await fixture.system.start(supervisor({ children: [child({ id: 'w', start, ...options })] }));
    const asker = await fixture.worker('asker');
    const replies = patientProbe<unknown>(fixture);
    // A spec holds functions. The worker's own question is made one of the supervisor's.
    const desk = fixture.system.spawn<WorkerMessage>(() => (message) => {
      if (message.kind === 'echo') boss.tell({ kind: 'child-spec', id: 'w', replyTo: message.replyTo });
    });
    asker.tell({ kind: 'ask', other: desk, value: 1, replyTo: replies.ref });
    expect(await replies.expect()).toMatchObject({ code: 'MESSAGE_NOT_PLAIN' });
    expect(await childSpec(fixture.system, boss, 'w')).toMatchObject({ id: 'w' });
  });
});
