/** What a link promises over each kind of connection, whatever the guest at its other end does. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryInUse } from '../../../test/memory-in-use.ts';
import { ManualClock, type Probe, probe, seededRandom } from '../../actors/kit/mod.ts';
import { type ActorSystem, createSystem, type Ref } from '../../actors/mod.ts';
import type { LinkEvent, LinkMessage } from '../../fleet/mod.ts';
import type { VmNetwork } from '../port.ts';
import { answer, type FakeGuest, type FakeGuestOptions, fakeGuest, type Peer } from '../testing/framed-guest.ts';
import { patience } from '../testing/patience.ts';
import { FrameType } from './frame.ts';
import { link } from './link.ts';

const KINDS = [
  ['TCP', 'user'],
  ['a port', 'none'],
] as const satisfies readonly (readonly [string, VmNetwork])[];
const MIB = 1024 * 1024;
const FLOOD_BYTES = 64 * MIB;
/** A link that kept an eighth of the flood would hold more. */
const HELD_BYTES_MAX = 8 * MIB;
/** Of the event loop, within which the flood comes. */
const TURNS_MAX = 100_000;

interface Linked extends AsyncDisposable {
  readonly guest: FakeGuest;
  readonly link: Ref<LinkMessage>;
  readonly owner: Probe<LinkEvent>;
}

async function linked(
  network: VmNetwork,
  { firstPongMs, ...options }: FakeGuestOptions & { readonly firstPongMs?: number } = {},
  system?: ActorSystem,
): Promise<Linked> {
  const guest = await fakeGuest(network, options);
  const own = system ?? createSystem();
  const owner = probe<LinkEvent>(own, { patience });
  const target = { vm: 1, address: { id: 1, ip: '127.0.0.1', port: 9000 } };
  const ref = own.spawn(
    link(target, owner.ref, {
      connect: () => guest.connect(),
      textBytesMax: MIB,
      ...(firstPongMs === undefined ? {} : { firstPongMs }),
    }),
  );
  return {
    guest,
    link: ref,
    owner,
    async [Symbol.asyncDispose]() {
      if (system === undefined) await own.shutdown();
      else await own.stop(ref);
      await guest[Symbol.asyncDispose]();
    },
  };
}

function request(id: number, text = `text ${id}`): LinkMessage {
  return { kind: 'request', id, op: 'upper', token: Buffer.from(`token-${id}`), payload: Buffer.from(text) };
}

function header(length: number, type: number, opBytes = 0, tokenBytes = 0): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt8(type, 4);
  bytes.writeUInt8(opBytes, 5);
  bytes.writeUInt16LE(tokenBytes, 6);
  return bytes;
}

/** Writes for as long as the other end reads. @param meter counts the bytes */
function flood(socket: Socket, bytes: Buffer, meter = { bytes: 0 }): void {
  const more = (): void => {
    let hasRoom = true;
    while (hasRoom && !socket.destroyed) {
      hasRoom = socket.write(bytes);
      meter.bytes += bytes.length;
    }
  };
  socket.on('drain', more);
  more();
}

describe.each(KINDS)('a link over %s', (_, network) => {
  it('carries 10 000 pipelined requests, and each has its own reply', async () => {
    await using one = await linked(network);
    await one.owner.expect({ kind: 'link-ready' });
    const COUNT = 10_000;
    let answered = 0;
    // The link holds no more than 4096 that wait for a full connection.
    for (let first = 1; first <= COUNT; first += 2_000) {
      for (let id = first; id < first + 2_000; id++) one.link.tell(request(id));
      for (let left = 2_000; left > 0; left--) {
        const event = await one.owner.expect<Extract<LinkEvent, { kind: 'link-reply' }>>();
        expect(event.kind).toBe('link-reply');
        expect(Buffer.from(event.payload).toString()).toBe(`TEXT ${event.id}`);
        answered += 1;
      }
    }
    expect(answered).toBe(COUNT);
  });

  it('closed and opened under load: each request is answered or told as lost, once', async () => {
    const random = seededRandom(7);
    let served = 0;
    await using one = await linked(network, {
      onFrame: (peer, type, low, high, token, text) => {
        served += 1;
        if (served % 50 === 0 && random() < 0.5) peer.socket.destroy();
        else answer(peer, type, low, high, token, text);
      },
    });
    const open = new Set<number>();
    const end = (ids: readonly number[]): void => {
      for (const id of ids) {
        expect(open.has(id), `request ${id} ends once`).toBe(true);
        open.delete(id);
      }
    };
    let next = 1;
    let losses = 0;
    while (next < 3_000 || open.size > 0) {
      const event = await one.owner.expect();
      if (event.kind === 'link-lost') {
        losses += event.why === 'the link is not connected' ? 0 : 1;
        end([...event.sent, ...event.unsent]);
      } else if (event.kind === 'link-reply') end([event.id]);
      if (event.kind === 'link-ready') await settled();
      if (open.size > 20 || next >= 3_000 || (event.kind === 'link-lost' && event.sent.length > 0)) continue;
      for (let count = 0; count < 40 && next < 3_000; count++) {
        open.add(next);
        one.link.tell(request(next++));
      }
    }
    expect(losses).toBeGreaterThan(5);
  });

  it.each([
    ['a type that a guest does not send', header(0, FrameType.request)],
    ['no type at all', header(0, 99)],
    ['operation and token longer than the frame', header(1, FrameType.reply, 20, 20)],
    ['an endless frame', header(MIB + 4_096, FrameType.reply)],
    ['noise', Buffer.alloc(64, 0xff)],
  ])('ends at damaged bytes (%s), and is made anew', async (_what, bytes) => {
    let peers = 0;
    await using one = await linked(network, {
      onFrame: (peer, type, low, high, token, text) => {
        if (type === FrameType.request && peers === 1) peer.socket.write(bytes);
        else answer(peer, type, low, high, token, text);
      },
      onPeer: () => {
        peers += 1;
      },
    });
    await one.owner.expect({ kind: 'link-ready' });
    one.link.tell(request(1));
    const lost = await one.owner.expect<Extract<LinkEvent, { kind: 'link-lost' }>>({ kind: 'link-lost', sent: [1] });
    expect(lost.why).toContain('FRAME_INVALID');
    await one.owner.expect({ kind: 'link-ready' });
    one.link.tell(request(2));
    await one.owner.expect({ kind: 'link-reply', id: 2 });
  });

  it('ends when the guest says that the connection is at an end', async () => {
    let peers = 0;
    await using one = await linked(network, {
      onFrame: (peer, type, low, high, token, text) => {
        if (type === FrameType.request && peers === 1)
          peer.send(FrameType.error, 0, 0, undefined, Buffer.from('400 the connection is at an end'));
        else answer(peer, type, low, high, token, text);
      },
      onPeer: () => {
        peers += 1;
      },
    });
    await one.owner.expect({ kind: 'link-ready' });
    one.link.tell(request(1));
    const lost = await one.owner.expect<Extract<LinkEvent, { kind: 'link-lost' }>>({ kind: 'link-lost', sent: [1] });
    expect(lost.why).toBe('the guest ended the connection: 400 the connection is at an end');
    await one.owner.expect({ kind: 'link-ready' });
  });

  it('is ready once the guest has answered, and is else tried again', async () => {
    await using one = await linked(network, { onFrame: () => undefined, firstPongMs: 50 });
    if (network === 'none') {
      // The opening was answered, which is the guest's word. (One without an answer is another test's.)
      await one.owner.expect({ kind: 'link-ready' });
      expect(one.guest.connections).toBe(1);
      return;
    }
    // Its first ping has no pong.
    await expect.poll(() => one.guest.connections).toBeGreaterThan(2);
    expect(one.owner.received).toEqual([]);
  });

  it('waits while the guest reads nothing, and goes on when it does', async () => {
    const peers: Peer[] = [];
    await using one = await linked(network, { onPeer: (peer) => void peers.push(peer) });
    await one.owner.expect({ kind: 'link-ready' });
    peers[0]?.socket.pause();
    const COUNT = 2_000;
    const long = 'x'.repeat(8 * 1024);
    for (let id = 1; id <= COUNT; id++) one.link.tell(request(id, long));
    // In these turns all is written that there is room for.
    for (let turn = 1; turn <= 200; turn++) await settled();
    peers[0]?.socket.resume();
    for (let id = 1; id <= COUNT; id++) await one.owner.expect({ kind: 'link-reply', id });
  });

  it('is kept once it is open, however long it lasts', async () => {
    await using guest = await fakeGuest(network);
    const clock = new ManualClock();
    const connection = guest.connect(clock);
    onTestFinished(() => connection.close());
    const ends: string[] = [];
    connection.onClose((why) => void ends.push(why));
    for (const waitMs of [0, 3_000, 60_000]) {
      await clock.advance(waitMs);
      const pong = new Promise<void>((resolve) => connection.onBytes(() => resolve()));
      connection.write(header(0, FrameType.ping));
      await pong;
    }
    expect(ends).toEqual([]);
  });

  it('says who ended it', async () => {
    const peers: Peer[] = [];
    await using one = await linked(network, { onPeer: (peer) => void peers.push(peer) });
    await one.owner.expect({ kind: 'link-ready' });
    peers[0]?.socket.end();
    const lost = await one.owner.expect<Extract<LinkEvent, { kind: 'link-lost' }>>({ kind: 'link-lost' });
    expect(lost.why).toBe(network === 'user' ? 'the guest closed the connection' : 'QEMU closed the port');
  });

  it('is at its end for the guest as well when it is stopped', async () => {
    const system = createSystem();
    const peers: Peer[] = [];
    await using one = await linked(network, { onPeer: (peer) => void peers.push(peer) }, system);
    await one.owner.expect({ kind: 'link-ready' });
    const closed = new Promise<void>((resolve) => {
      peers[0]?.socket.once('close', () => resolve());
    });
    await system.stop(one.link);
    await closed;
    await system.shutdown();
  });

  it('takes no memory for what nobody asked for, and other links go on', async () => {
    const system = createSystem();
    const one = Buffer.concat([header(4_000, FrameType.reply, 0, 0), randomBytes(4_000)]);
    const foul = Buffer.concat(Array.from({ length: 16 }, () => one));
    const flooded = { bytes: 0 };
    await using hostile = await linked(
      network,
      {
        onFrame: (peer, type, low, high, token, text) => {
          answer(peer, type, low, high, token, text);
          if (type === FrameType.request) flood(peer.socket, foul, flooded);
        },
      },
      system,
    );
    await using other = await linked(network, {}, system);
    await hostile.owner.expect({ kind: 'link-ready' });
    await other.owner.expect({ kind: 'link-ready' });
    hostile.link.tell(request(0));
    await hostile.owner.expect({ kind: 'link-reply' });
    const beforeBytes = memoryInUse().bufferBytes;
    for (let id = 1; flooded.bytes < FLOOD_BYTES && id <= TURNS_MAX; id++) {
      other.link.tell(request(id));
      await other.owner.expect({ kind: 'link-reply', id });
    }
    expect(flooded.bytes).toBeGreaterThanOrEqual(FLOOD_BYTES);
    expect(memoryInUse().bufferBytes - beforeBytes).toBeLessThan(HELD_BYTES_MAX);
    expect(hostile.owner.received).toHaveLength(2);
    await hostile[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await system.shutdown();
  });

  it('ends when the guest pings without end and reads no pongs', async () => {
    const pings = Buffer.concat(Array.from({ length: 4_000 }, () => header(0, FrameType.ping)));
    let isFirst = true;
    await using one = await linked(network, {
      onFrame: (peer, type, low, high, token, text) => {
        answer(peer, type, low, high, token, text);
        if (!isFirst || type !== FrameType.request) return;
        isFirst = false;
        peer.socket.pause();
        flood(peer.socket, pings);
      },
    });
    await one.owner.expect({ kind: 'link-ready' });
    one.link.tell(request(1));
    await one.owner.expect({ kind: 'link-reply' });
    const lost = await one.owner.expect<Extract<LinkEvent, { kind: 'link-lost' }>>({ kind: 'link-lost' });
    expect(lost.why).toContain('reads no pongs');
    await one.owner.expect({ kind: 'link-ready' });
  });
});

describe('a connection over a port', () => {
  it.each([1, 10, 63])('hears nothing of what belongs to an earlier one (answer split after %d)', async (at) => {
    await using guest = await fakeGuest('none', {
      onOpening: (socket, reply) => {
        const kept = Buffer.concat([Buffer.alloc(100_000, 'x'), reply.subarray(0, 40), reply.subarray(0, 63)]);
        socket.write(kept);
        setImmediate(() => {
          socket.write(reply.subarray(0, at));
          setImmediate(() => socket.write(Buffer.concat([reply.subarray(at), Buffer.from('mine')])));
        });
      },
    });
    const connection = guest.connect();
    const heard: string[] = [];
    const first = new Promise<void>((resolve) => {
      connection.onOpen(() => heard.push('open'));
      connection.onBytes((bytes) => {
        heard.push(Buffer.from(bytes).toString());
        resolve();
      });
    });
    await first;
    expect(heard).toEqual(['open', 'mine']);
    connection.close();
  });

  it('is not opened by the late answer to an earlier one', async () => {
    const answers: Buffer[] = [];
    await using guest = await fakeGuest('none', {
      onOpening: (socket, reply) => {
        answers.push(reply);
        if (answers.length === 1) socket.destroy();
        else socket.write(Buffer.concat([...answers, Buffer.from('mine')]));
      },
    });
    const first = guest.connect();
    await new Promise<void>((resolve) => first.onClose(() => resolve()));
    const second = guest.connect();
    onTestFinished(() => second.close());
    const heard = new Promise<string>((resolve) => second.onBytes((bytes) => resolve(Buffer.from(bytes).toString())));
    expect(await heard).toBe('mine');
  });

  it('is given up when its opening is not answered, whatever else the guest says, and takes no memory meanwhile', async () => {
    const clock = new ManualClock();
    const flooded = { bytes: 0 };
    await using guest = await fakeGuest('none', {
      onOpening: (socket) => {
        flood(socket, randomBytes(256 * 1024), flooded);
      },
    });
    const connection = guest.connect(clock);
    const lost = new Promise<string>((resolve) => connection.onClose(resolve));
    connection.onOpen(() => expect.unreachable('it is not open'));
    connection.onBytes(() => expect.unreachable('nothing is heard'));
    await expect.poll(() => guest.connections).toBe(1);
    const beforeBytes = memoryInUse().bufferBytes;
    for (let turn = 1; flooded.bytes < FLOOD_BYTES && turn <= TURNS_MAX; turn++) await settled();
    expect(flooded.bytes).toBeGreaterThanOrEqual(FLOOD_BYTES);
    expect(memoryInUse().bufferBytes - beforeBytes).toBeLessThan(HELD_BYTES_MAX);
    await clock.advance(3_000);
    expect(await lost).toBe('the guest has not opened its port within 3000 ms');
  });

  it('keeps what is written before it is open, and sends it then', async () => {
    const said: string[] = [];
    await using guest = await fakeGuest('none', {
      onFrame: (peer, type, low, high, token, text) => {
        said.push(`${type} ${Buffer.from(text).toString()}`);
        answer(peer, type, low, high, token, text);
      },
    });
    const connection = guest.connect();
    const came = new Promise<void>((resolve) => connection.onBytes(() => resolve()));
    connection.write(Buffer.concat([header(5, FrameType.request), Buffer.from('early')]));
    await came;
    expect(said).toEqual(['1 early']);
    connection.close();
  });
});

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
