import { describe, expect, it } from 'vitest';
import { type Listing, receptionist, serviceKey, topic } from '../actors/mod.ts';
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
