import { describe, expect, it } from 'vitest';
import type { Ref } from '../actors/mod.ts';
import { type EchoMessage, echo, FakeGroup, type FakeHost, watching } from './testing/fixture.ts';

/** Beats come once a second, and three seconds of silence make a host lost. */
const LOST_MS = 3_000;
const LONG_MS = 60_000;

const settled = <T>(promise: Promise<T>): Promise<T | Error> => promise.catch((error: Error) => error);

async function watchedPair(group = new FakeGroup()) {
  const [a, b] = [group.host('a', { about: 'machine 1' }), group.host('b', { about: 'machine 2' })];
  const notes: unknown[] = [];
  const actor = b.system.spawn(echo(notes), { name: 'echo' });
  b.hosts.expose('echo', actor);
  await group.settle();
  const far = a.hosts.ref<EchoMessage>('b', 'echo');
  const exits = watching(a.system, far);
  // The other way round: an actor of a that b watches.
  const near = a.system.spawn(echo([]), { name: 'near' });
  a.hosts.expose('near', near);
  const backExits = watching(b.system, b.hosts.ref('a', 'near'));
  await group.advance(100);
  return { group, a, b, far, exits, backExits, notes, actor };
}

const ignored = (from: FakeHost, ref: Ref<EchoMessage>): Promise<unknown> =>
  settled(from.system.ask<EchoMessage, unknown>(ref, (replyTo) => ({ kind: 'ignore', replyTo }), LONG_MS));

const kinds = ({ events }: FakeHost): string[] => events.map(({ kind }) => kind);

describe('a host that dies', () => {
  it('is lost after the limit, and not before: each watcher is told once, with a reason that names it', async () => {
    const { group, a, b, exits } = await watchedPair();
    b.kill();
    await group.advance(LOST_MS - 1_000);
    expect(exits).toEqual([]);
    await group.advance(1_000);
    expect(exits).toMatchObject([
      {
        path: 'b:echo',
        reason: {
          kind: 'error',
          error: {
            code: 'HOST_LOST',
            message: 'Host b (machine 2) is lost: nothing was heard of it for 3000 ms',
            details: { host: 'b', incarnation: b.hosts.incarnation },
          },
        },
      },
    ]);
    await group.advance(LONG_MS);
    expect([exits.length, kinds(a)]).toEqual([1, ['host-up', 'host-lost']]);
  });

  it('is told of in whole milliseconds', async () => {
    const group = new FakeGroup();
    const [a, b] = [group.host('a', { beatMs: 999.3 }), group.host('b')];
    await group.settle();
    await group.advance(1_000);
    b.kill();
    await group.advance(10_000);
    expect(a.events.at(-1)).toMatchObject({
      kind: 'host-lost',
      error: { message: expect.stringMatching(/for \d+ ms$/) },
    });
  });

  it('fails asks to it at once, those that are open and those that come later', async () => {
    const { group, a, b, far } = await watchedPair();
    const open = ignored(a, far);
    b.kill();
    await group.advance(LOST_MS);
    expect(await open).toMatchObject({ code: 'ACTOR_STOPPED', cause: { code: 'HOST_LOST' } });
    expect(await ignored(a, far)).toMatchObject({ code: 'ACTOR_STOPPED', cause: { code: 'HOST_LOST' } });
  });

  it('fails the asks that its actors had to answer, whoever asked them', async () => {
    const { group, a, b } = await watchedPair();
    const c = group.host('c');
    // b passes an ask of c on to a, which keeps it.
    b.hosts.expose('relay', b.hosts.ref('a', 'near'));
    await group.settle();
    const open = ignored(c, c.hosts.ref('b', 'relay'));
    await group.settle();
    a.kill();
    await group.advance(LOST_MS);
    expect(await open).toMatchObject({ code: 'ACTOR_STOPPED' });
  });

  it('makes its refs dead ends: what was on its way is told as dead letters, and so is what comes later', async () => {
    const { group, a, b, far } = await watchedPair();
    b.kill();
    for (let n = 0; n < 7; n++) far.tell({ kind: 'note', value: n });
    await group.advance(LOST_MS);
    expect(far.tell({ kind: 'note', value: 'late' })).toBe(false);
    expect(a.letters).toMatchObject([
      { to: 'b:', why: 'lost', count: 7 },
      { to: 'b:echo', why: 'stopped' },
    ]);
  });

  it('and is started again has another incarnation, which old refs do not reach', async () => {
    const { group, a, b, far, exits } = await watchedPair();
    b.kill();
    const again = group.host('b');
    const notes: unknown[] = [];
    again.hosts.expose('echo', again.system.spawn(echo(notes)));
    // The name is free once the old one is lost.
    await group.advance(1_000);
    expect([a.hosts.peers()[0]?.incarnation, exits]).toEqual([b.hosts.incarnation, []]);
    await group.advance(LOST_MS);
    expect(exits.length).toBe(1);
    expect(a.hosts.peers()).toMatchObject([{ host: 'b', incarnation: again.hosts.incarnation }]);
    expect(far.tell({ kind: 'note', value: 'old' })).toBe(false);
    a.hosts.ref<EchoMessage>('b', 'echo').tell({ kind: 'note', value: 'new' });
    await group.settle();
    expect(notes).toEqual(['new']);
    expect(again.hosts.ended).toBeUndefined();
  });
});

describe('a host that stands still past the limit', () => {
  it('is lost for good under that epoch, learns it when it wakes, and a new epoch begins', async () => {
    const { group, a, b, far, exits, backExits, notes } = await watchedPair();
    const epoch = a.hosts.peers()[0]?.epoch ?? 0;
    b.pause();
    far.tell({ kind: 'note', value: 'in the old epoch' });
    await group.advance(LOST_MS + 2_000);
    expect([exits.length, backExits.length]).toEqual([1, 0]);
    b.resume();
    await group.settle();
    await group.advance(2_000);
    expect(backExits).toMatchObject([
      { path: 'a:near', reason: { error: { code: 'HOST_LOST', message: expect.stringContaining('it counted') } } },
    ]);
    expect([kinds(a), kinds(b)]).toEqual([
      ['host-up', 'host-lost', 'host-up'],
      ['host-up', 'host-lost', 'host-up'],
    ]);
    expect(a.hosts.peers()[0]?.epoch).toBeGreaterThan(epoch);
    expect(far.tell({ kind: 'note', value: 'by the old ref' })).toBe(false);
    a.hosts.ref<EchoMessage>('b', 'echo').tell({ kind: 'note', value: 'in the new epoch' });
    await group.settle();
    // It was told as lost, so it may have arrived; it did, before the pause of b was noticed.
    expect(notes.filter((note) => note !== 'in the old epoch')).toEqual(['in the new epoch']);
    expect(a.letters).toContainEqual(expect.objectContaining({ why: 'lost', count: 1 }));
  });

  it('has what it sends in the old epoch refused, and is told how much had been taken', async () => {
    const { group, a, b, backExits } = await watchedPair();
    const back = b.hosts.ref<EchoMessage>('a', 'near');
    back.tell({ kind: 'note', value: 'taken' });
    await group.settle();
    // That it is lost does not reach b.
    group.network.copies = ({ from }) => (from.name === 'a' ? 0 : 1);
    back.tell({ kind: 'note', value: 'taken, which b does not know' });
    await group.settle();
    b.pause();
    await group.advance(LOST_MS + LONG_MS);
    group.network.copies = () => 1;
    back.tell({ kind: 'note', value: 'too late' });
    back.tell({ kind: 'note', value: 'too late too' });
    expect(a.hosts.peers()).toEqual([]);
    b.resume();
    await group.settle();
    expect(backExits.length).toBe(1);
    expect(b.letters).toMatchObject([{ to: 'a:', why: 'lost', count: 2 }]);
    await group.advance(2_000);
    expect(a.hosts.peers().length).toBe(1);
  });

  it.each([0, 1, 2])('meets the others again even if they have forgotten it (%i)', async (index) => {
    const group = new FakeGroup();
    const all = ['a', 'b', 'c'].map((name) => group.host(name));
    await group.settle();
    const paused = all[index];
    paused?.pause();
    await group.advance(10 * LOST_MS + LONG_MS);
    // What was sent to it meanwhile is lost with its connection.
    paused?.port.setConnected(false);
    paused?.resume({ forgetting: true });
    paused?.port.setConnected(true);
    await group.settle();
    await group.advance(3_000);
    for (const { hosts } of all) expect(hosts.peers().length).toBe(2);
  });

  it('has frames of an old epoch refused, also when they would be the next in the new one', async () => {
    const { group, a, b, far, notes } = await watchedPair();
    const old: { readonly subject: string; readonly bytes: Uint8Array }[] = [];
    group.network.onCarried = (message) => {
      if (message.from.name === 'a' && message.subject.includes(b.hosts.incarnation)) old.push(message);
    };
    for (let n = 0; n < 10; n++) {
      far.tell({ kind: 'note', value: n });
      await group.settle();
    }
    group.network.onCarried = () => undefined;
    b.pause();
    await group.advance(2 * LOST_MS);
    b.resume();
    await group.advance(2 * LOST_MS);
    a.hosts.ref('b', 'echo');
    await group.settle();
    for (const { subject, bytes } of old) group.network.inject(subject, bytes);
    await group.settle();
    expect(notes).toEqual([...Array(10).keys()]);
  });

  it('does not take its own pause for the silence of others', async () => {
    const { group, a, b } = await watchedPair();
    a.pause();
    b.pause();
    await group.advance(LONG_MS);
    a.resume();
    b.resume();
    await group.settle();
    await group.advance(5_000);
    expect([kinds(a), kinds(b)]).toEqual([['host-up'], ['host-up']]);
  });
});

describe('a way that is cut', () => {
  it.each([
    ['from a to b', 'a', 'b'],
    ['from b to a', 'b', 'a'],
  ])('%s alone makes each lose the other, once, and they meet again in a new epoch', async (_what, from, to) => {
    const { group, a, b, exits, backExits } = await watchedPair();
    group.network.copies = (message) => (message.from.name === from && message.to.name === to ? 0 : 1);
    await group.advance(LONG_MS);
    expect([exits.length, backExits.length]).toEqual([1, 1]);
    expect([a.hosts.peers(), b.hosts.peers()]).toEqual([[], []]);
    group.network.copies = () => 1;
    await group.advance(3_000);
    expect([kinds(a), kinds(b)]).toEqual([
      ['host-up', 'host-lost', 'host-up'],
      ['host-up', 'host-lost', 'host-up'],
    ]);
  });

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('from %s to %s alone is told of again and again, in case the notice of the loss is lost', async (from, to) => {
    const { group, a, b, exits, backExits } = await watchedPair();
    const isCut = (sender: string, receiver: string): boolean => sender === from && receiver === to;
    let notices = 0;
    group.network.copies = (message) => {
      if (isCut(message.from.name, message.to.name)) return 0;
      // Nothing else is sent to it alone.
      if (message.from.name === to && message.to.name === from && message.subject.includes('.to.')) {
        notices += 1;
        return notices > 2 ? 1 : 0;
      }
      return 1;
    };
    await group.advance(LOST_MS + 5_000);
    expect([exits.length, backExits.length]).toEqual([1, 1]);
    expect([kinds(a), kinds(b)]).toEqual([
      ['host-up', 'host-lost'],
      ['host-up', 'host-lost'],
    ]);
    group.network.copies = () => 1;
    await group.advance(3_000);
    expect([a.hosts.peers().length, b.hosts.peers().length]).toEqual([1, 1]);
    await group.advance(LONG_MS);
    expect([exits.length, backExits.length]).toEqual([1, 1]);
  });

  it('while two meet leaves neither asking for ever', async () => {
    const group = new FakeGroup();
    const [a, b] = [group.host('a'), group.host('b')];
    // The answer does not arrive, and then nothing of the one that asks: an answer that nobody has heard is lost, too.
    const isAnswer = (from: string, subject: string): boolean => from === 'b' && subject.includes('.to.');
    group.network.copies = ({ from, subject }) => (isAnswer(from.name, subject) ? 0 : 1);
    await group.advance(2_000);
    group.network.copies = ({ from, to, subject }) => {
      return isAnswer(from.name, subject) || (from.name === 'a' && to.name === 'b') ? 0 : 1;
    };
    await group.advance(2 * LOST_MS);
    group.network.copies = () => 1;
    await group.advance(3_000);
    expect([kinds(a), kinds(b)]).toEqual([['host-up'], ['host-up']]);
  });

  it('while nothing is sent to one of them is noticed too: a host that hears nothing says so in its beats', async () => {
    const { group, a, b } = await watchedPair();
    // b hears nobody, not even itself.
    group.network.copies = ({ to }) => (to.name === 'b' ? 0 : 1);
    await group.advance(2 * LOST_MS);
    // Two beats until b knows, and then as long as any silence.
    expect(kinds(a)).toEqual(['host-up', 'host-lost']);
    await group.advance(LONG_MS);
    expect([kinds(a), kinds(b)]).toEqual([
      ['host-up', 'host-lost'],
      ['host-up', 'host-lost'],
    ]);
    group.network.copies = () => 1;
    await group.advance(3_000);
    expect([a.hosts.peers().length, b.hosts.peers().length]).toEqual([1, 1]);
  });

  it('loses no message if it is mended in time: what was on its way is sent anew, once and in order', async () => {
    const { group, a, far, notes } = await watchedPair();
    group.network.copies = ({ subject }) => (subject.includes('.to.') ? 0 : 1);
    for (let n = 0; n < 1_000; n++) far.tell({ kind: 'note', value: n });
    await group.advance(2_500);
    expect(notes).toEqual([]);
    group.network.copies = () => 2;
    await group.advance(3_000);
    expect(notes).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(a.letters).toEqual([]);
    expect(a.hosts.stats()).toMatchObject({ waiting: 0 });
  });

  it('only for frames, so that beats get through, loses the host in the end: nothing waits for ever', async () => {
    const { group, a, far, exits } = await watchedPair();
    group.network.copies = ({ subject, to }) => (subject.includes('.to.') && to.name === 'b' ? 0 : 1);
    const open = ignored(a, far);
    await group.advance(4 * LOST_MS);
    expect(exits).toMatchObject([{ reason: { error: { message: expect.stringContaining('has taken nothing for') } } }]);
    expect(await open).toMatchObject({ code: 'ACTOR_STOPPED' });
  });
});

describe('a host that is cut off from the server', () => {
  // Between two attempts to connect, a client waits up to two seconds.
  it.each([0, 2_050])('loses nobody if the others were cut off with it, and are back %d ms later', async (laterMs) => {
    const { group, a, b, far, notes } = await watchedPair();
    for (const { port } of [a, b]) port.setConnected(false);
    for (let n = 0; n < 10; n++) far.tell({ kind: 'note', value: n });
    await group.advance(20_900);
    a.port.setConnected(true);
    await group.advance(laterMs);
    b.port.setConnected(true);
    await group.advance(5_000);
    expect(notes).toEqual([...Array(10).keys()]);
    expect([kinds(a), kinds(b)]).toEqual([['host-up'], ['host-up']]);
  });

  it('loses nobody if the server stands still, either: no host hears itself then', async () => {
    const { group, a, b } = await watchedPair();
    group.network.copies = () => 0;
    await group.advance(20_000);
    group.network.copies = () => 1;
    await group.advance(5_000);
    expect([kinds(a), kinds(b)]).toEqual([['host-up'], ['host-up']]);
  });

  it('counts its messages since then as such that never left', async () => {
    const { group, a, b } = await watchedPair();
    b.hosts.expose(
      'sink',
      b.system.spawn(() => () => undefined),
    );
    const sink = a.hosts.ref<number>('b', 'sink');
    await group.advance(1_000);
    // This one leaves, and nobody hears whether it has arrived.
    sink.tell(0);
    group.network.copies = () => 0;
    await group.settle();
    a.port.setConnected(false);
    for (let n = 1; n <= 100; n++) sink.tell(n);
    await group.advance(40_000);
    expect(a.letters.map(({ why, count }) => [why, count])).toEqual([
      ['lost', 1],
      ['stopped', 100],
    ]);
  });

  it('counts the others as lost after a limit of its own', async () => {
    const { group, a, exits } = await watchedPair();
    a.port.setConnected(false);
    await group.advance(25_000);
    expect(exits).toEqual([]);
    await group.advance(10_000);
    expect(exits).toMatchObject([
      { reason: { error: { message: expect.stringContaining('this host has been cut off') } } },
    ]);
  });
});

describe('two hosts of one name', () => {
  it('are noticed: the second is refused, and all are told of both', async () => {
    const { group, a, b, exits } = await watchedPair();
    await group.advance(5_000);
    const second = group.host('b', { about: 'machine 3' });
    await group.advance(2_000);
    const text = `Two hosts of the group test.hosts are called b: incarnation ${b.hosts.incarnation}, machine 2, came first; incarnation ${second.hosts.incarnation}, machine 3, is refused`;
    expect(second.hosts.ended).toMatchObject({ code: 'HOST_NAME_TAKEN', message: expect.stringContaining(text) });
    for (const host of [a, b, second]) {
      expect(host.events.filter(({ kind }) => kind === 'host-refused')).toMatchObject([
        { host: 'b', incarnation: second.hosts.incarnation, error: { message: expect.stringContaining(text) } },
      ]);
    }
    expect(() => second.hosts.ref('a', 'near')).toThrow(expect.objectContaining({ code: 'HOST_NAME_TAKEN' }));
    expect([exits, a.hosts.peers()]).toMatchObject([[], [{ incarnation: b.hosts.incarnation }]]);
  });

  it('one after the other, are no clash: the first has died and does not beat any more', async () => {
    const { group, a, b } = await watchedPair();
    b.kill();
    // It dies soon, too, and is never let in.
    group.host('b').kill();
    await group.advance(1_000);
    const last = group.host('b');
    await group.advance(LOST_MS + 5_000);
    expect(kinds(a)).toEqual(['host-up', 'host-lost', 'host-up']);
    expect(last.hosts.ended).toBeUndefined();
  });

  it('are told of each time, however often that happens', async () => {
    const group = new FakeGroup();
    const [a] = [group.host('a', { hostsMax: 2 }), group.host('b', { hostsMax: 2 })];
    await group.advance(5_000);
    const refused: string[] = [];
    for (let n = 0; n < 5; n++) {
      refused.push(group.host('b').hosts.incarnation);
      await group.advance(3_000);
    }
    const told = a.events.flatMap((event) => (event.kind === 'host-refused' ? event.incarnation : []));
    expect(told).toEqual(refused);
  });

  it('that start at the same moment: one stays', async () => {
    const group = new FakeGroup();
    const both = [group.host('x'), group.host('x')];
    await group.advance(5_000);
    expect(both.map(({ hosts }) => hosts.ended?.code).sort()).toEqual(['HOST_NAME_TAKEN', undefined]);
  });

  it('of which one stood still while the other came: it is the one that woke that is refused', async () => {
    const { group, a, b } = await watchedPair();
    await group.advance(60_000);
    b.pause();
    const second = group.host('b');
    await group.advance(10_000);
    expect(a.hosts.peers()).toMatchObject([{ incarnation: second.hosts.incarnation }]);
    b.resume();
    await group.advance(3_000);
    expect([b.hosts.ended?.code, second.hosts.ended]).toEqual(['HOST_NAME_TAKEN', undefined]);
    expect(a.hosts.peers()).toMatchObject([{ incarnation: second.hosts.incarnation }]);
  });
});
