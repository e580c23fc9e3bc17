import { describe, expect, it } from 'vitest';
import { type Probe, type TestKit, type TestKitOptions, testKit } from '../../actors/kit/mod.ts';
import { type Ref, systemRandom } from '../../actors/mod.ts';
import type { LinkEvent, LinkMessage, RequestStatus } from '../../fleet/mod.ts';
import type { CloseListener, GuestConnection } from '../port.ts';
import { type FrameSink, FrameType, NO_BYTES } from './frame.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import { KeepAlive } from './keep-alive.ts';
import { type LinkOptions, link } from './link.ts';
import { LongWork } from './long-work.ts';

interface Received {
  readonly type: number;
  readonly low: number;
  readonly high: number;
  readonly op: string;
  readonly token: string;
  readonly payload: string;
}

/** The other end of a link: a guest that does what the test says. */
class FakeGuest implements GuestConnection, FrameSink {
  readonly received: Received[] = [];
  writes = 0;
  closed = false;
  /** What `write` answers. */
  takes = true;
  readonly #parser = new FrameParser(this);
  #open: () => void = () => undefined;
  #bytes: (bytes: Uint8Array) => void = () => undefined;
  #close: CloseListener = () => undefined;
  #drain: () => void = () => undefined;

  onOpen(listener: () => void): void {
    this.#open = listener;
  }
  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#bytes = listener;
  }
  onClose(listener: CloseListener): void {
    this.#close = listener;
  }
  onDrain(listener: () => void): void {
    this.#drain = listener;
  }
  write(bytes: Uint8Array): boolean {
    this.writes += 1;
    this.#parser.push(bytes);
    return this.takes;
  }
  close(): void {
    this.closed = true;
  }

  frame(type: number, low: number, high: number, op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    this.received.push({ type, low, high, op: text(op), token: text(token), payload: text(payload) });
  }

  accept(): void {
    this.#open();
  }
  hangUp(why: string): void {
    this.#close(why, true);
  }
  drain(): void {
    this.takes = true;
    this.#drain();
  }
  say(bytes: Uint8Array): void {
    this.#bytes(bytes);
  }
  send(type: FrameType, low: number, high: number, token: string, payload: string): void {
    const writer = new FrameWriter();
    writer.append(type, low, high, NO_BYTES, Buffer.from(token), Buffer.from(payload));
    this.say(Buffer.concat(writer.take()));
  }
  /** Answers what was received last. */
  answer(type: FrameType, payload: string): void {
    const last = this.received.at(-1);
    if (last === undefined) throw new Error('nothing was received');
    this.send(type, last.low, last.high, last.token, payload);
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

interface Bench {
  readonly kit: TestKit;
  readonly link: Ref<LinkMessage>;
  readonly owner: Probe<LinkEvent>;
  /** One for each connection that was opened. */
  readonly guests: FakeGuest[];
  /** Each time that the VM was to give way or no longer, such as `7 true`. */
  readonly gaveWay: string[];
}

async function openBench(
  overrides: Partial<LinkOptions> = {},
  kitOptions: TestKitOptions = {},
  pingIntervalMs?: number,
): Promise<Bench & AsyncDisposable> {
  const kit = testKit(kitOptions);
  const keepAlive = new KeepAlive(kit.clock, pingIntervalMs);
  const guests: FakeGuest[] = [];
  const gaveWay: string[] = [];
  const longWork = new LongWork(kit.clock, (vm, givesWay) => gaveWay.push(`${vm} ${givesWay}`), 5);
  const owner = kit.probe<LinkEvent>();
  const connect = (): FakeGuest => {
    const guest = new FakeGuest();
    guests.push(guest);
    return guest;
  };
  const target = { vm: 7, address: { id: 1, ip: '127.0.0.1', port: 9000 } };
  const ref = await kit.system.start(link(target, owner.ref, { connect, keepAlive, longWork, ...overrides }), {
    name: 'link',
  });
  return { kit, link: ref, owner, guests, gaveWay, [Symbol.asyncDispose]: () => kit.shutdown() };
}

async function ready({ kit, owner, guests }: Bench): Promise<FakeGuest> {
  const guest = guests.at(-1);
  if (guest === undefined) throw new Error('no connection was opened');
  guest.accept();
  await kit.settle();
  guest.answer(FrameType.pong, '');
  await owner.fishFor({ kind: 'link-ready', vm: 7 });
  return guest;
}

function request(id: number, payload = 'text', op = 'upper'): LinkMessage {
  return { kind: 'request', id, op, token: Buffer.from(`token-${id}`), payload: Buffer.from(payload) };
}

describe('link', () => {
  it('is ready once a ping was answered, not when it is connected', async () => {
    await using bench = await openBench();
    bench.guests[0]?.accept();
    await bench.owner.expectNone(100);
    bench.guests[0]?.answer(FrameType.pong, '');
    await bench.owner.expect({ kind: 'link-ready', vm: 7 });
  });

  it('tells how long its guest works on one request, whether that is answered, lost or given up', async () => {
    await using bench = await openBench();
    const { gaveWay: told } = bench;
    const guest = await ready(bench);
    const pass = (ms: number): Promise<void> => bench.kit.advance(ms);
    bench.link.tell(request(1));
    await bench.kit.settle();
    const first = guest.received.at(-1);
    await pass(3);
    bench.link.tell(request(2));
    await pass(2);
    expect(told).toEqual(['7 true']);
    guest.send(FrameType.reply, first?.low ?? 0, first?.high ?? 0, 'token-1', 'TEXT');
    expect(told).toEqual(['7 true', '7 false']);
    await pass(5);
    expect(told).toHaveLength(3);
    guest.answer(FrameType.error, '500 no');
    expect(told).toHaveLength(4);
    bench.link.tell(request(3));
    await pass(5);
    expect(told).toHaveLength(5);
    guest.hangUp('broken');
    expect(told).toEqual(['7 true', '7 false', '7 true', '7 false', '7 true', '7 false']);
  });

  it('sends all requests of a turn in one write, and gives each its reply in whatever order they come', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    const before = guest.writes;
    for (let id = 1; id <= 20; id++) bench.link.tell(request(id, `text ${id}`));
    await bench.kit.settle();
    // One more where a piece of memory ends that writers of this thread share.
    expect(guest.writes - before).toBeLessThanOrEqual(2);
    const sent = guest.received.slice(-20);
    expect(sent[3]).toMatchObject({ type: FrameType.request, op: 'upper', token: 'token-4', payload: 'text 4' });
    for (const { low, high, token } of sent.toReversed()) guest.send(FrameType.reply, low, high, token, `reply ${low}`);
    for (let id = 20; id >= 1; id--) {
      await bench.owner.expect<LinkEvent>(
        (event) => event.kind === 'link-reply' && event.id === id && text(event.payload) === `reply ${id}`,
      );
    }
  });

  it('keeps apart ids beyond 32 bits', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    const id = 2 ** 40 + 5;
    bench.link.tell(request(id));
    await bench.kit.settle();
    guest.answer(FrameType.reply, 'done');
    await bench.owner.expect({ kind: 'link-reply', id });
  });

  it('reads the errors of a guest, known codes and others', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    const said: [string, RequestStatus, string][] = [
      ['404 no such operation', 404, 'no such operation'],
      ['418 teapot', 418, 'teapot'],
      ['599', 502, ''],
      ['oops\u001b[2J', 502, 'the guest failed without saying how: oops'],
    ];
    for (const [payload, status, message] of said) {
      bench.link.tell(request(1));
      await bench.kit.settle();
      guest.answer(FrameType.error, payload);
      await bench.owner.expect({ kind: 'link-error', vm: 7, id: 1, status, message });
    }
  });

  it('tells a reply that the guest kept from an earlier connection from that of a request with the same id', async () => {
    await using bench = await openBench({}, { random: { ...systemRandom, fraction: () => 0.5 } });
    const guest = await ready(bench);
    bench.link.tell(request(1));
    await bench.kit.settle();
    guest.send(FrameType.reply, 1, 0x1234, 'old token', 'old reply');
    await bench.owner.expect<LinkEvent>(
      (event) => event.kind === 'link-orphaned-reply' && event.ok && text(event.token) === 'old token',
    );
    guest.send(FrameType.error, 9, 0x1234, 'other', '500 broken');
    await bench.owner.expect<LinkEvent>(
      (event) => event.kind === 'link-orphaned-reply' && !event.ok && text(event.payload) === '500 broken',
    );
    guest.send(FrameType.reply, 9, 0x1234, '', 'of nobody');
    await bench.owner.expectNone();
    guest.send(FrameType.reply, 1, 0x80000000, 'token-1', 'mine');
    await bench.owner.expect({ kind: 'link-reply', id: 1 });
  });

  it('reports what was sent and what was not when the connection is lost, and connects again', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    bench.link.tell(request(1));
    guest.takes = false;
    await bench.kit.settle();
    bench.link.tell(request(2));
    await bench.kit.settle();
    guest.hangUp('reset');
    await bench.owner.expect({ kind: 'link-lost', vm: 7, sent: [1], unsent: [2], why: 'reset' });
    bench.link.tell(request(3));
    await bench.owner.expect({ kind: 'link-lost', vm: 7, sent: [], unsent: [3] });
    await bench.kit.advance(10);
    expect(bench.guests).toHaveLength(2);
    await ready(bench);
  });

  it('tries again ever more slowly, and does not tell its owner of attempts that fail', async () => {
    await using bench = await openBench();
    for (let tries = 1; tries <= 12; tries++) {
      expect(bench.guests).toHaveLength(tries);
      bench.guests.at(-1)?.hangUp('refused');
      await bench.kit.advance(Math.min(10 * 2 ** (tries - 1), 1_000));
    }
    expect(bench.owner.received).toEqual([]);
  });

  it('tries again at once when it has been ready, however many attempts had failed before', async () => {
    await using bench = await openBench();
    for (let tries = 1; tries <= 6; tries++) {
      bench.guests.at(-1)?.hangUp('refused');
      await bench.kit.advance(10 * 2 ** (tries - 1));
    }
    (await ready(bench)).hangUp('reset');
    await bench.owner.expect({ kind: 'link-lost' });
    await bench.kit.advance(10);
    expect(bench.guests).toHaveLength(8);
  });

  it('gives up on a connection that was accepted by nobody who answers', async () => {
    await using bench = await openBench({ firstPongMs: 500 });
    bench.guests[0]?.accept();
    await bench.kit.advance(500);
    expect(bench.guests[0]?.closed).toBe(true);
    await bench.kit.advance(10);
    expect(bench.guests).toHaveLength(2);
  });

  it('does not take an unanswered ping for the end', async () => {
    await using bench = await openBench({}, {}, 100);
    const guest = await ready(bench);
    const pings = (): number => guest.received.filter(({ type }) => type === FrameType.ping).length;
    await bench.kit.advance(100_000);
    expect(pings()).toBe(2);
    expect(guest.closed).toBe(false);
    guest.answer(FrameType.pong, '');
    await bench.kit.advance(100);
    expect(pings()).toBe(3);
  });

  it('does not ping a guest that works', async () => {
    await using bench = await openBench({}, {}, 100);
    const guest = await ready(bench);
    bench.link.tell(request(1));
    await bench.kit.advance(1_000);
    expect(guest.received.filter(({ type }) => type === FrameType.ping)).toHaveLength(1);
  });

  it('holds back what the guest does not read, up to a limit', async () => {
    await using bench = await openBench({ waitingMax: 2 });
    const guest = await ready(bench);
    guest.takes = false;
    for (const id of [1, 2, 3]) {
      bench.link.tell(request(id));
      await bench.kit.settle();
    }
    bench.link.tell(request(4));
    await bench.owner.expect({ kind: 'link-error', id: 4, status: 503 });
    bench.link.tell({ kind: 'cancel', id: 3 });
    await bench.owner.expect({ kind: 'link-error', id: 3, status: 499 });
    guest.drain();
    await bench.kit.settle();
    expect(guest.received.filter(({ type }) => type === FrameType.request).map(({ low }) => low)).toEqual([1, 2]);
  });

  it('passes on cancellations of what was sent, and relayed commands', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    bench.link.tell(request(1));
    bench.link.tell({ kind: 'cancel', id: 1 });
    bench.link.tell({ kind: 'cancel', id: 99 });
    bench.link.tell({ kind: 'relay', line: 'start x y' });
    await bench.kit.settle();
    expect(guest.received.slice(-2)).toMatchObject([
      { type: FrameType.cancel, low: 1 },
      { type: FrameType.relay, payload: 'start x y' },
    ]);
  });

  it('refuses operations and tokens that no frame can carry', async () => {
    await using bench = await openBench();
    await ready(bench);
    bench.link.tell(request(1, '', 'no such thing!'));
    await bench.owner.expect({ kind: 'link-error', id: 1, status: 404 });
    bench.link.tell({ kind: 'request', id: 2, op: '', token: Buffer.alloc(257), payload: NO_BYTES });
    await bench.owner.expect({ kind: 'link-error', id: 2, status: 400 });
  });

  it('breaks off with a guest that speaks nonsense, and with one that pings without reading', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    guest.say(Buffer.alloc(16, 0xff));
    await bench.owner.expect<LinkEvent>((event) => event.kind === 'link-lost' && event.why.startsWith('FRAME_INVALID'));
    await bench.kit.advance(10);
    const second = await ready(bench);
    second.takes = false;
    bench.link.tell(request(1));
    await bench.kit.settle();
    for (let count = 0; count < 20_000; count++) second.send(FrameType.ping, 0, 0, '', '');
    await bench.owner.expect({ kind: 'link-lost', sent: [1] });
  });

  it('hears nothing of what came after the nonsense', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    const writer = new FrameWriter();
    // A guest sends no requests; the pong must not make a link that is lost ready.
    writer.append(FrameType.request, 1, 0, NO_BYTES, NO_BYTES, NO_BYTES);
    writer.append(FrameType.pong, 0, 0, NO_BYTES, NO_BYTES, NO_BYTES);
    guest.say(Buffer.concat(writer.take()));
    await bench.owner.expect({ kind: 'link-lost', sent: [], unsent: [] });
    bench.link.tell(request(1));
    await bench.owner.expect({ kind: 'link-lost', sent: [], unsent: [1] });
  });

  it('takes a reply that is longer than any text may be, and none that is longer than both', async () => {
    await using bench = await openBench({ textBytesMax: 3 });
    const guest = await ready(bench);
    bench.link.tell(request(1));
    await bench.kit.settle();
    guest.answer(FrameType.reply, 'x'.repeat(4_096));
    await bench.owner.expect({ kind: 'link-reply', id: 1 });
    bench.link.tell(request(2));
    await bench.kit.settle();
    guest.answer(FrameType.reply, 'x'.repeat(5_000));
    await bench.owner.expect<LinkEvent>((event) => event.kind === 'link-lost' && event.why.startsWith('FRAME_INVALID'));
  });

  it('asks the guest at once, also while it works, and tells of the pong that answers that ping', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    const pings = (): readonly Received[] => guest.received.filter(({ type }) => type === FrameType.ping);
    const [greeting] = pings();
    bench.link.tell(request(1));
    bench.link.tell({ kind: 'ping' });
    await bench.kit.settle();
    const asked = pings()[1];
    if (greeting === undefined || asked === undefined) throw new Error('no ping was sent');
    // A pong for a ping of the link's own says nothing to the router.
    guest.send(FrameType.pong, greeting.low, greeting.high, '', '');
    await bench.owner.expectNone();
    guest.send(FrameType.pong, asked.low, asked.high, '', '');
    await bench.owner.expect({ kind: 'link-pong', vm: 7 });
  });

  it('that is down asks nobody, and one whose guest reads nothing does not fill the memory with pings', async () => {
    await using bench = await openBench();
    bench.link.tell({ kind: 'ping' });
    await bench.kit.settle();
    const guest = await ready(bench);
    expect(guest.received.filter(({ type }) => type === FrameType.ping)).toHaveLength(1);
    guest.takes = false;
    bench.link.tell(request(1));
    await bench.kit.settle();
    for (let count = 0; count < 40_000; count++) bench.link.tell({ kind: 'ping' });
    await bench.kit.settle();
    guest.drain();
    await bench.kit.settle();
    expect(guest.received.length).toBeLessThan(20_000);
    expect(guest.closed).toBe(false);
  });

  it('closes its connection and says what it leaves when it is stopped', async () => {
    await using bench = await openBench();
    const guest = await ready(bench);
    bench.link.tell(request(1));
    await bench.kit.settle();
    await bench.kit.system.stop(bench.link);
    await bench.owner.expect({ kind: 'link-lost', sent: [1], unsent: [] });
    expect(guest.closed).toBe(true);
    await bench.kit.advance(5_000);
    expect(bench.guests).toHaveLength(1);
  });
});
