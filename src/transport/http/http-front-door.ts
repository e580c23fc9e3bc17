import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Behaviour, Clock, Context, Ref } from '../../actors/mod.ts';
import { codeOf, type ErrorEnvelope, fromEnvelope, messageOf, ShoalError, toEnvelope } from '../../errors.ts';
import type { FailureReason, Outcome } from '../../fleet/mod.ts';
import { REQUEST_END_REASONS, TEXT_TYPE } from '../../fleet/mod.ts';
import { authority } from '../authority.ts';
import type { RouterRequest } from '../endpoint-messages.ts';
import type { ReplyTokens } from '../reply-token.ts';
import type { RequestHeaders } from '../request-headers.ts';
import { within } from '../within.ts';
import { HttpConnections } from './http-connections.ts';
import { errorReply, type HttpReply, replyOf } from './http-reply.ts';
import { HEAD_FIELDS_MAX, HEALTH_PATH, type HttpRefusal, pathOf, readHead, tooLarge } from './http-request.ts';
import { readBody } from './read-body.ts';

/** Where a server listens. */
export interface HttpAddress {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
}

/** Whether this host serves requests, and a word on it. */
export interface Health {
  readonly isServing: boolean;
  readonly text: string;
}

export interface HttpFrontDoorOptions {
  readonly address: HttpAddress;
  readonly router: Ref<RouterRequest>;
  readonly tokens: ReplyTokens;
  /** `deadline_ms` of the parameters at this moment, for requests without a deadline. */
  readonly deadlineMs: () => number;
  /** The largest text, in bytes. */
  readonly bytesMax: number;
  /** Must settle within a second or so. A rejection counts as not serving. */
  readonly health: () => Promise<Health>;
  /** Called once it listens, with the port that it has. */
  readonly onListening?: (address: HttpAddress) => void;
  /** Further connections are closed at once; default 10000. */
  readonly connectionsMax?: number;
  /** Further requests are refused while this many are open; default 100000. */
  readonly inFlightMax?: number;
  /** Further requests are refused while the open ones hold this many bytes, heads and texts; default 256 MiB. */
  readonly inFlightBytesMax?: number;
  /** Connections end while the answers that no client has read hold more bytes; default 256 MiB. */
  readonly unreadBytesMax?: number;
  /** How long a client may take to send the head of a request; default 10000. */
  readonly headMs?: number;
  /** Likewise all of the request; default 60000. */
  readonly requestMs?: number;
  /** How long stopping waits for open requests; default 3000, below the 5000 of a child. */
  readonly drainLimitMs?: number;
}

export type HttpFrontDoorMessage =
  // Sent by the actor to itself.
  { readonly kind: 'failed'; readonly error: ErrorEnvelope };

const CONNECTIONS_MAX = 10_000;
const IN_FLIGHT_MAX = 100_000;
const IN_FLIGHT_BYTES_MAX = 256 * 1024 * 1024;
const UNREAD_BYTES_MAX = 256 * 1024 * 1024;
const DRAIN_LIMIT_MS = 3_000;
/** A client that trickles its request holds a connection for so long at most. */
const HEAD_MS = 10_000;
const REQUEST_MS = 60_000;
/** A connection without a request is closed: longer than load balancers keep theirs. */
const KEEP_ALIVE_MS = 75_000;
/** A client that does not read its answer. */
const ANSWER_MS = 60_000;
const HEAD_BYTES_MAX = 16 * 1024;
const ID_BYTES = 6;
/** Nobody listens there: the reply of a request that outlives this Shoal has nowhere to go, because its connection is gone. */
const NOWHERE = '_INBOX.shoal-http';

const STOPPING: HttpRefusal = { status: 503, reason: 'shoal-stopping', message: 'Shoal is stopping' };
const ROUTER_AWAY: Outcome = {
  ok: false,
  status: 503,
  reason: 'router-away',
  message: 'overloaded: the router takes no more requests',
};

/**
 * Takes requests over HTTP/1.1 for those who speak no NATS: `POST /` and `POST /OPERATION`, with the same outcomes, headers and limits. Stopping
 * it drains it. The start fails with HTTP_LISTEN_FAILED if it cannot listen.
 */
export function httpFrontDoor(options: HttpFrontDoorOptions): Behaviour<HttpFrontDoorMessage> {
  return async (context) => {
    const door = new HttpFrontDoor(context, options);
    context.onStop(() => door.close(), 'before-children');
    await door.open();
    return ({ error }) => {
      throw fromEnvelope(error);
    };
  };
}

class HttpFrontDoor {
  readonly #context: Context<HttpFrontDoorMessage>;
  readonly #clock: Clock;
  readonly #options: HttpFrontDoorOptions;
  readonly #server: Server;
  readonly #connections: HttpConnections;
  readonly #idPrefix: string;
  readonly #open = new Set<Pending>();
  #bytes = 0;
  #count = 0;
  #isLoopback = true;
  #isClosing = false;
  #onIdle: (() => void) | undefined;

  constructor(context: Context<HttpFrontDoorMessage>, options: HttpFrontDoorOptions) {
    this.#context = context;
    this.#clock = context.clock;
    this.#options = options;
    const { headMs = HEAD_MS, requestMs = REQUEST_MS } = options;
    this.#idPrefix = `h${Buffer.from(context.system.random.bytes(ID_BYTES)).toString('base64url')}.`;
    this.#server = createServer({
      headersTimeout: headMs,
      requestTimeout: requestMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: headMs / 2,
      maxHeaderSize: HEAD_BYTES_MAX,
      noDelay: true,
    });
    // One more than is taken, so that it shows: older versions of Node leave out all beyond it, and say nothing.
    this.#server.maxHeadersCount = HEAD_FIELDS_MAX + 1;
    this.#server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#connections = new HttpConnections(this.#server, {
      clock: this.#clock,
      answerMs: ANSWER_MS,
      unreadBytesMax: options.unreadBytesMax ?? UNREAD_BYTES_MAX,
    });
    this.#server.on('request', (request, response) => this.#take(request, response, false));
    this.#server.on('checkContinue', (request, response) => this.#take(request, response, true));
  }

  /** @throws HTTP_LISTEN_FAILED */
  async open(): Promise<void> {
    const { address, onListening } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenFailed(address, error)));
      this.#server.listen({ host: address.host, port: address.port }, resolve);
    });
    this.#server.removeAllListeners('error');
    this.#server.on('error', (error) => this.#context.self.tell({ kind: 'failed', error: toEnvelope(error) }));
    this.#isLoopback = isLoopbackAddress(this.#address.host);
    onListening?.(this.#address);
  }

  /** Takes no more requests and waits for the open ones; at the limit the rest are answered 503. Never rejects. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const limitMs = this.#options.drainLimitMs ?? DRAIN_LIMIT_MS;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    if (this.#open.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      await within(idle, limitMs, this.#clock).catch(() => undefined);
    }
    for (const pending of [...this.#open]) pending.refuse(STOPPING);
    // Node ends no connection whose client does not read, or has begun a request and does not end it.
    await within(closed, LAST_ANSWERS_MS, this.#clock).catch(() => undefined);
    this.#server.closeAllConnections();
  }

  /** Called by `Pending`. */
  finish(pending: Pending): void {
    this.#open.delete(pending);
    this.#bytes -= pending.bytes;
    if (this.#open.size === 0) this.#onIdle?.();
  }

  /** @param ends whether the connection is to end with it */
  send(response: ServerResponse, reply: HttpReply, ends = this.#isClosing): void {
    if (response.destroyed || response.headersSent) return;
    const { status, headers, body } = reply;
    // What came with such a request and is behind it, Node takes for another protocol's, and reads no further.
    const isLast =
      (ends || response.req.headers.upgrade !== undefined) && this.#connections.endWith(response)
        ? { Connection: 'close' }
        : {};
    response.writeHead(status, { ...headers, ...isLast, 'Content-Length': body.length });
    // Of an answer to HEAD, Node sends the head alone.
    response.end(body);
    this.#connections.answered(response, body.length);
  }

  get #address(): HttpAddress {
    // It listens on TCP.
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  #take(request: IncomingMessage, response: ServerResponse, waits: boolean): void {
    // Without a listener, an error of a connection would end the process.
    request.on('error', ignore);
    response.on('error', ignore);
    if (!this.#connections.began(response)) {
      request.resume();
      return;
    }
    const { method = '', url: target = '', headers, headersDistinct: distinct } = request;
    if (pathOf(target) === HEALTH_PATH && (method === 'GET' || method === 'HEAD')) {
      request.resume();
      void this.#tellHealth(response);
      return;
    }
    const { bytesMax, inFlightMax = IN_FLIGHT_MAX } = this.#options;
    const fields = request.rawHeaders.length / 2;
    const head = readHead({ method, target, fields, headers, distinct }, { bytesMax, isLoopback: this.#isLoopback });
    if ('status' in head) return this.#turnAway(request, response, head);
    if (this.#isClosing) return this.#turnAway(request, response, STOPPING);
    if (this.#open.size >= inFlightMax) {
      return this.#turnAway(request, response, full(`${this.#open.size} requests are in hand`));
    }
    const pending = new Pending(this, response);
    this.#open.add(pending);
    if (!this.#hold(pending, headBytesOf(request))) {
      pending.end();
      return this.#turnAway(request, response, this.#fullOfBytes());
    }
    if (waits) response.writeContinue();
    void this.#process(request, pending, head);
  }

  async #process(request: IncomingMessage, pending: Pending, head: RequestHeaders): Promise<void> {
    const { bytesMax } = this.#options;
    const startedMs = this.#clock.monotonic();
    let why = tooLarge(bytesMax);
    let textBytes = 0;
    const body = await readBody(request, (bytes) => {
      textBytes += bytes;
      if (textBytes > bytesMax) return false;
      if (this.#hold(pending, bytes)) return true;
      why = this.#fullOfBytes();
      return false;
    });
    if (body === 'gone') return pending.end();
    if (body === 'refused') {
      pending.end();
      return this.#turnAway(request, pending.response, why);
    }
    const what = {
      requestId: head.requestId ?? this.#idPrefix + this.#count++,
      isIdGenerated: head.requestId === undefined,
      op: head.op,
      payload: body,
      ...(head.contentType === undefined ? {} : { contentType: head.contentType }),
    };
    const taken = this.#options.router.tell({
      kind: 'request',
      request: {
        ...what,
        ...(head.isRepeat ? { isRepeat: true } : {}),
        deadlineMs: startedMs + (head.deadlineMs ?? this.#options.deadlineMs()),
        retry: head.retry,
        token: this.#options.tokens.sealAt(NOWHERE, what),
        replyTo: pending,
      },
    });
    if (!taken) pending.tell(ROUTER_AWAY);
  }

  /** @returns whether the request may hold so many bytes more */
  #hold(pending: Pending, bytes: number): boolean {
    const { inFlightBytesMax = IN_FLIGHT_BYTES_MAX } = this.#options;
    // A single request is always taken.
    if (this.#open.size > 1 && this.#bytes + bytes > inFlightBytesMax) return false;
    pending.bytes += bytes;
    this.#bytes += bytes;
    return true;
  }

  #fullOfBytes(): HttpRefusal {
    return full(`requests of ${this.#bytes} bytes are in hand`);
  }

  /** What the client still sends is not read, so its connection ends with the answer. */
  #turnAway(request: IncomingMessage, response: ServerResponse, refusal: HttpRefusal): void {
    this.send(response, errorReply(refusal), this.#isClosing || !request.complete);
    // Reading a little lets a client that sends all before it reads see the answer and not a reset.
    request.resume();
  }

  async #tellHealth(response: ServerResponse): Promise<void> {
    const { isServing, text } = this.#isClosing
      ? { isServing: false, text: STOPPING.message }
      : await this.#options.health().catch((error: unknown) => ({
          isServing: false,
          text: messageOf(error),
        }));
    const headers = { 'Content-Type': TEXT_TYPE, 'Cache-Control': 'no-store' };
    this.send(response, { status: isServing ? 200 : 503, headers, body: Buffer.from(`${text}\n`) });
  }
}

/** The last answers get this long even if the limit has been used up. */
const LAST_ANSWERS_MS = 250;

function ignore(): void {}

/** Node keeps the head of a request until it is answered. */
function headBytesOf({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, url.length);
}

function full(figures: string): HttpRefusal {
  const reason: FailureReason = 'endpoint-full';
  return { status: REQUEST_END_REASONS[reason], reason, message: `overloaded: ${figures}` };
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || address.replace(/^::ffff:/, '').startsWith('127.');
}

/** What to do about an error of `listen`. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it; name another port, or 0 for a free one',
  EACCES: 'ports below 1024 need root; name another port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this machine has no such address',
};

function listenFailed(address: HttpAddress, cause: Error): ShoalError {
  const remedy = REMEDIES[codeOf(cause) ?? ''] ?? cause.message;
  const message = `HTTP requests cannot be taken at ${authority(address)}: ${remedy}`;
  return new ShoalError('HTTP_LISTEN_FAILED', message, { cause, details: { ...address } });
}

/** One request on its way; takes its outcome, once. */
class Pending implements Ref<Outcome> {
  /** That it holds. */
  bytes = 0;
  readonly response: ServerResponse;
  readonly #door: HttpFrontDoor;
  #isSettled = false;

  constructor(door: HttpFrontDoor, response: ServerResponse) {
    this.#door = door;
    this.response = response;
  }

  get path(): string {
    return 'http';
  }

  tell(outcome: Outcome): boolean {
    return this.#answer(() => replyOf(outcome));
  }

  refuse(refusal: HttpRefusal): void {
    this.#answer(() => errorReply(refusal));
  }

  /** Without an answer, or with another one. */
  end(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#door.finish(this);
  }

  #answer(reply: () => HttpReply): boolean {
    if (this.#isSettled) return false;
    this.end();
    this.#door.send(this.response, reply());
    return true;
  }
}
