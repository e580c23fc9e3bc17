import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { type ActorSystem, createSystem, type Ref, silentLogger, systemClock } from '../../../actors/mod.ts';
import type { Outcome, Request } from '../../../fleet/mod.ts';
import type { RouterRequest } from '../../endpoint-messages.ts';
import { ReplyTokens, TOKEN_KEY_BYTES } from '../../reply-token.ts';
import { type HttpFrontDoorMessage, type HttpFrontDoorOptions, httpFrontDoor } from '../http-front-door.ts';

export interface Served {
  readonly url: string;
  readonly port: number;
  readonly system: ActorSystem;
  readonly door: Ref<HttpFrontDoorMessage>;
  readonly requests: Request[];
}

export const upper = (text: Uint8Array): Uint8Array => Buffer.from(Buffer.from(text).toString().toUpperCase());
export const replied = (payload: Uint8Array): Outcome => ({ ok: true, payload, vm: 7, host: 'beta' });

/** A front door before a router of the test's; default: one that answers at once. */
export async function served(
  handle: (request: Request) => void = ({ replyTo, payload }) => void replyTo.tell(replied(upper(payload))),
  more: Partial<HttpFrontDoorOptions> = {},
  clock = systemClock,
): Promise<Served> {
  const system = createSystem({ logger: silentLogger, clock });
  onTestFinished(() => system.shutdown());
  const requests: Request[] = [];
  const router: Ref<RouterRequest> = {
    path: 'router',
    tell: ({ request }) => {
      requests.push(request);
      handle(request);
      return true;
    },
  };
  let port = 0;
  const door = await system.start(
    httpFrontDoor({
      address: { host: '127.0.0.1', port: 0 },
      router,
      tokens: new ReplyTokens(new Uint8Array(TOKEN_KEY_BYTES)),
      deadlineMs: () => 4_000,
      bytesMax: 1_000,
      health: async () => ({ isServing: true, text: 'serving' }),
      onListening: (address) => {
        port = address.port;
      },
      ...more,
    }),
    { name: 'door' },
  );
  return { url: `http://127.0.0.1:${port}`, port, system, door, requests };
}

export const hold = (): void => undefined;

export async function post(url: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', body, headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Bytes as a client of its own sends them, and all that comes back until the connection ends or `isEnough`. */
export async function raw(
  port: number,
  bytes: string,
  isEnough: (got: string) => boolean = () => false,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let got = '';
  const done = new Promise<void>((resolve) => {
    socket.on('data', (piece) => {
      got += String(piece);
      if (isEnough(got)) resolve();
    });
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
  socket.write(bytes);
  await done;
  socket.destroy();
  return got;
}

export const count = (text: string, part: string): number => text.split(part).length - 1;

export const POST_ONE = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\nx';
