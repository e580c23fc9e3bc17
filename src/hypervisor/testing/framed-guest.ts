import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../actors/mod.ts';
import { type FrameSink, FrameType, NO_BYTES } from '../link/frame.ts';
import { FrameParser } from '../link/frame-parser.ts';
import { FrameWriter } from '../link/frame-writer.ts';
import type { GuestConnection, VmNetwork } from '../port.ts';
import { PortConnection } from '../qemu/port-connection.ts';
import { TcpConnection } from '../qemu/tcp-connection.ts';

const KEY = '0123456789abcdef0123456789abcdef';
/** Header, key and nonce of an opening. */
const OPENING_BYTES = 64;
const TYPE_AT = 4;

/** One connection, as the guest has it. */
export interface Peer {
  readonly socket: Socket;
  send(type: number, low: number, high: number, token?: Uint8Array, payload?: Uint8Array): void;
}

export interface FakeGuestOptions {
  /** What it does with a frame; default: a guest that answers pings, and requests with their own text in capitals. */
  readonly onFrame?: (peer: Peer, type: number, low: number, high: number, token: Uint8Array, text: Uint8Array) => void;
  /** Told of each connection, over a port once it was opened. */
  readonly onPeer?: (peer: Peer) => void;
  /** Over a port: told of each opening in the place of the answer to it. */
  readonly onOpening?: (socket: Socket, answer: Buffer) => void;
}

/** A guest in this process that links reach over TCP, or over a socket as QEMU's port is: it does what the test says. */
export interface FakeGuest extends AsyncDisposable {
  readonly connections: number;
  connect(clock?: Clock): GuestConnection;
}

export async function fakeGuest(network: VmNetwork, options: FakeGuestOptions = {}): Promise<FakeGuest> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-'));
  const path = join(folder, 'link.sock');
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    if (network === 'user') serve(socket, options);
    else open(socket, options);
  });
  const port = await listen(server, network === 'user' ? undefined : path);
  return {
    get connections() {
      return connections;
    },
    connect(clock = systemClock) {
      if (network === 'none') return new PortConnection(path, KEY, clock);
      return new TcpConnection({ id: 1, ip: '127.0.0.1', port }, clock);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As a guest does that keeps the contract. */
export function answer(peer: Peer, type: number, low: number, high: number, token: Uint8Array, text: Uint8Array): void {
  if (type === FrameType.ping) peer.send(FrameType.pong, low, high, token, text);
  if (type !== FrameType.request) return;
  peer.send(FrameType.reply, low, high, token, Buffer.from(Buffer.from(text).toString().toUpperCase()));
}

function open(socket: Socket, options: FakeGuestOptions): void {
  let came = Buffer.alloc(0);
  const onData = (bytes: Buffer): void => {
    came = Buffer.concat([came, bytes]);
    if (came.length < OPENING_BYTES) return;
    socket.off('data', onData);
    const reply = Buffer.from(came.subarray(0, OPENING_BYTES));
    reply.writeUInt8(FrameType.pong, TYPE_AT);
    if (options.onOpening !== undefined) {
      options.onOpening(socket, reply);
      return;
    }
    socket.write(reply);
    serve(socket, options).push(came.subarray(OPENING_BYTES));
  };
  socket.on('data', onData);
}

function serve(socket: Socket, { onFrame = answer, onPeer }: FakeGuestOptions): FrameParser {
  const peer: Peer = {
    socket,
    send(type, low, high, token = NO_BYTES, payload = NO_BYTES) {
      if (socket.destroyed) return;
      const writer = new FrameWriter();
      // The writer knows the types that Shoal may send; a guest in a test may send any.
      writer.append(type as FrameType, low, high, NO_BYTES, token, payload);
      for (const piece of writer.take()) socket.write(piece);
    },
  };
  const sink: FrameSink = {
    frame: (type, low, high, _op, token, payload) => onFrame(peer, type, low, high, token, payload),
  };
  const parser = new FrameParser(sink);
  socket.on('data', (bytes) => parser.push(bytes));
  onPeer?.(peer);
  return parser;
}

function listen(server: Server, path: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    };
    if (path === undefined) server.listen(0, '127.0.0.1', done);
    else server.listen(path, done);
  });
}
