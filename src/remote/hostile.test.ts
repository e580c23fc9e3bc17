import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type Frame, OP } from './frame.ts';
import { type EchoMessage, echo, FakeGroup } from './testing/fixture.ts';

async function pair() {
  const group = new FakeGroup();
  const [a, b] = [group.host('a'), group.host('b')];
  const notes: unknown[] = [];
  b.hosts.expose('echo', b.system.spawn(echo(notes)));
  await group.settle();
  const far = a.hosts.ref<EchoMessage>('b', 'echo');
  await group.advance(100);
  const inbox = `test.hosts.to.${b.hosts.incarnation}`;
  const [{ epoch = 0 } = {}] = b.hosts.peers();
  return { group, a, b, notes, far, inbox, epoch };
}

describe('a frame that makes no sense', () => {
  it('is told of once in ten seconds, by number, and changes nothing', async () => {
    const { group, a, b, notes, far, inbox } = await pair();
    for (let n = 0; n < 100; n++) group.network.inject(inbox, new Uint8Array([n, 2, 3]));
    expect(b.events.filter(({ kind }) => kind === 'frames-damaged')).toEqual([{ kind: 'frames-damaged', count: 1 }]);
    await group.advance(10_000);
    expect(b.events.filter(({ kind }) => kind === 'frames-damaged')).toEqual([
      { kind: 'frames-damaged', count: 1 },
      { kind: 'frames-damaged', count: 99 },
    ]);
    far.tell({ kind: 'note', value: 1 });
    await group.settle();
    expect([notes, a.hosts.stats().damaged, b.hosts.stats().damaged, b.hosts.peers().length]).toEqual([[1], 0, 100, 1]);
  });

  it('of any bytes, also of a good frame with one byte changed, throws at nobody', () => {
    const items = [{ to: 1, waits: false, bytes: new Uint8Array(3) }];
    const from = '0123456789abcdef';
    const good: Frame[] = [
      { kind: 'beat', host: 'a', from, ageMs: 1.5, isDeaf: false, about: 'x' },
      { kind: 'bye', host: 'a', from },
      { kind: 'refuse', host: 'a', from, about: '' },
      { kind: 'hello', from, epoch: 3 },
      { kind: 'welcome', from, epoch: 3 },
      { kind: 'lost', from, epoch: 3, taken: -1 },
      { kind: 'data', from, epoch: 3, seq: 1, ack: 0, isGap: true, items },
    ];
    for (const frame of good) expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.nat(),
        fc.nat(255),
        fc.uint8Array({ maxLength: 100 }),
        (frame, at, byte, noise) => {
          const bytes = encodeFrame(frame);
          bytes[at % bytes.length] = byte;
          decodeFrame(bytes);
          decodeFrame(noise);
        },
      ),
    );
  });

  it('in a link that stands costs its own messages, and no others', async () => {
    const { group, a, b, notes, far, inbox, epoch } = await pair();
    const items = [
      { to: OP, waits: false, bytes: encode({ op: 'watch' }) },
      { to: OP, waits: false, bytes: encode({ op: 'ended', id: 1, path: 'x', reason: { kind: 'error', error: 1 } }) },
      { to: -1, waits: false, bytes: new Uint8Array([0xc1]) },
      { to: -1, waits: false, bytes: encode({ kind: 'note', value: 'forged' }) },
      { to: 99, waits: true, bytes: encode('to nobody') },
    ];
    // The bind of the name was frame 1.
    const data: Frame = { kind: 'data', from: a.hosts.incarnation, epoch, seq: 2, ack: 1e9, isGap: false, items };
    group.network.inject(inbox, encodeFrame(data));
    await group.settle();
    expect([notes, b.hosts.stats().damaged]).toEqual([['forged'], 3]);
    expect(b.letters).toMatchObject([{ to: 'a#99', why: 'late-reply' }]);
    far.tell({ kind: 'note', value: 'lost with the number that was forged' });
    far.tell({ kind: 'note', value: 'after' });
    await group.advance(5_000);
    expect(b.failures).toEqual([]);
    expect(b.hosts.peers().length).toBe(1);
  });

  it('from a host of another version is told of, and that host is left alone', async () => {
    const { group, b } = await pair();
    group.network.inject('test.hosts.beat', encode([2, 0, 'c', '0123456789abcdef', { more: 1 }]));
    group.network.inject('test.hosts.beat', encode([2, 0, 'c', '0123456789abcdef', { more: 1 }]));
    await group.settle();
    expect(b.events.filter(({ kind }) => kind === 'host-ignored')).toEqual([
      { kind: 'host-ignored', why: 'a host speaks version 2 of the protocol, and this one another' },
    ]);
    expect(b.hosts.peers().length).toBe(1);
  });
});

it('hosts beyond the limit are left alone', async () => {
  const group = new FakeGroup();
  const a = group.host('a', { hostsMax: 2 });
  for (let n = 0; n < 50; n++) {
    const from = n.toString(16).padStart(16, '0');
    const beat: Frame = { kind: 'beat', host: `host-${n}`, from, ageMs: 0, isDeaf: false, about: '' };
    group.network.inject('test.hosts.beat', encodeFrame(beat));
  }
  await group.settle();
  expect(a.events).toEqual([{ kind: 'host-ignored', why: expect.stringContaining('more than 2 other hosts') }]);
});
