import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { createSystem } from '../actors/mod.ts';
import type { Frame } from './frame.ts';
import { Peer } from './peer.ts';

const LOST_MS = 3_000;
const BEAT_MS = 1_000;

/** Host `m`, as another of the group, and what it sends to that. */
function peerOf(incarnation: string) {
  const clock = new ManualClock();
  const system = createSystem({ clock });
  onTestFinished(() => system.shutdown());
  const sent: Frame[] = [];
  const told: string[] = [];
  const peer = new Peer(
    { host: 'b', incarnation, about: '' },
    {
      system,
      incarnation: 'm',
      limits: { outboxMessagesMax: 100, outboxBytesMax: 10_000, windowBytes: 10_000 },
      lostMs: LOST_MS,
      payloadBytesMax: () => 10_000,
      exposed: () => undefined,
      send: (_to, frame) => sent.push(frame) > 0,
      onUp: () => told.push('up'),
      onLost: (_peer, { message }) => told.push(message),
      onDamaged: () => told.push('damaged'),
    },
  );
  peer.heard();
  /** What was sent since the last look, in short. */
  const news = (): string[] =>
    sent.splice(0).map((frame) => ('epoch' in frame ? `${frame.kind} ${frame.epoch - peer.epoch}` : frame.kind));
  const receive = (kind: 'hello' | 'welcome', epoch: number): void => peer.receive({ kind, from: incarnation, epoch });
  const data = (seq: number, ack: number): void =>
    peer.receive({ kind: 'data', from: incarnation, epoch: peer.epoch, seq, ack, isGap: false, items: [] });
  return { peer, told, news, receive, data };
}

const item = { to: 1, waits: false, bytes: new Uint8Array(4) };

describe('of two hosts', () => {
  it('the one with the lower incarnation calls, and the other waits for it', () => {
    expect(peerOf('z').news()).toEqual(['hello 0']);
    expect(peerOf('a').news()).toEqual(['lost 0']);
  });
});

describe('a host that calls', () => {
  it('is linked by the answer to its last call alone', () => {
    const { peer, told, receive } = peerOf('z');
    receive('welcome', peer.epoch - 1);
    receive('welcome', peer.epoch + 1);
    expect(told).toEqual([]);
    receive('welcome', peer.epoch);
    expect(told).toEqual(['up']);
  });

  it('takes no loss of another link for its own, and calls anew after its own', () => {
    const { peer, told, receive, news } = peerOf('z');
    const { epoch } = peer;
    receive('welcome', epoch);
    news();
    peer.receive({ kind: 'lost', from: 'z', epoch: epoch - 1, taken: -1 });
    expect([told, news()]).toEqual([['up'], []]);
    peer.receive({ kind: 'lost', from: 'z', epoch, taken: -1 });
    expect(told.at(-1)).toContain('it counted this host as lost');
    expect(news()).toEqual(['hello 0']);
    expect(peer.epoch).toBeGreaterThan(epoch);
  });
});

describe('a host that is called', () => {
  it('answers each call again until it is heard, and no call of the past', () => {
    const { told, receive, news } = peerOf('a');
    news();
    receive('hello', 5);
    receive('hello', 4);
    receive('hello', 5);
    expect([told, news()]).toEqual([[], ['welcome 0', 'welcome 0']]);
  });

  it('keeps a link for which it is called again, and gives it up for the next', () => {
    const { peer, told, receive, news, data } = peerOf('a');
    receive('hello', 5);
    data(0, 0);
    const { link } = peer;
    news();
    receive('hello', 5);
    expect([peer.link === link, told, news()]).toEqual([true, ['up'], []]);
    receive('hello', 6);
    expect([peer.link, told.length, news()]).toEqual([undefined, 2, ['welcome 0']]);
  });
});

describe('a host that is there', () => {
  it('and takes nothing is lost after three times the limit', () => {
    const { peer, told, receive } = peerOf('z');
    receive('welcome', peer.epoch);
    peer.link?.stream.add(item);
    peer.link?.stream.flush();
    const beats = (count: number): void => {
      for (let beat = 0; beat < count; beat++) {
        peer.heard();
        peer.tick(BEAT_MS);
      }
    };
    // The first look finds what is on its way.
    beats(1 + 8);
    expect(told).toEqual(['up']);
    beats(1);
    expect(told.at(-1)).toContain('has taken nothing for 9000 ms');
  });

  it('and takes something now and then stays, however slow it is', () => {
    const { peer, told, receive, data } = peerOf('z');
    receive('welcome', peer.epoch);
    for (let seq = 1; seq <= 30; seq++) {
      peer.link?.stream.add(item);
      peer.link?.stream.flush();
      peer.heard();
      peer.tick(BEAT_MS);
      data(0, seq);
    }
    expect(told).toEqual(['up']);
  });
});
