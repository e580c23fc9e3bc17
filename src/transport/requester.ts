import { createInbox, type Msg, type NatsConnection, type Subscription } from 'nats';
import { type Clock, systemClock, TimingWheel, WHEEL_STEP_MS, type WheelEntry } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { RequestEndReason } from '../fleet/mod.ts';
import { forbidden, onPermissionViolation, type PermissionViolation, violationOf } from './permissions.ts';
import { type Reply, ReplyReader } from './reply.ts';
import { RequestEncoder } from './request-encoder.ts';
import { subjectsOf } from './subjects.ts';

export interface RequesterOptions {
  readonly fleet: string;
  /** For requests without a deadline; default 30000. */
  readonly deadlineMs?: number;
  /** Further requests are refused at once while this many are in flight; default 16384. */
  readonly inFlightMax?: number;
  readonly clock?: Clock;
  /** Subject for replies, of nobody else; default: one that nats.js makes. */
  readonly inbox?: string;
}

export interface RequestOptions {
  /** Default: the default operation of the service. */
  readonly op?: string;
  /** Milliseconds from now, 1 to 3600000. */
  readonly deadlineMs?: number;
  /** A repeat with the same id is the same request; default: the server generates an id. */
  readonly requestId?: string;
  /** Whether the request may be tried once more on another VM; default true. */
  readonly retry?: boolean;
  /** It was sent before, under the same id: another host of the fleet may know it; default false. */
  readonly isRepeat?: boolean;
  /** What the bytes are, for an image that takes any; default: nothing is said. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface Requester {
  readonly inFlight: number;
  /**
   * Sends a request and resolves with its reply.
   * @throws REQUEST_INVALID, REQUEST_OPERATION_UNKNOWN, REQUEST_TOO_LARGE, REQUEST_VM_FAILED, REQUEST_OVERLOADED: as
   * the fleet replied, or if it is certain without asking; REQUEST_DEADLINE at the deadline, or a quarter of a second later if the fleet does
   * not say why; REQUEST_NO_RESPONDERS at once if nobody serves the fleet; REQUEST_CANCELLED by the signal; NATS_FORBIDDEN;
   * NATS_UNREACHABLE if the connection is closed
   */
  request(payload: Uint8Array, options?: RequestOptions): Promise<Reply>;
  /** Like `request`, for a request that may be sent more than once. */
  send(payload: Uint8Array, options?: RequestOptions): SentRequest;
  /** Ends requests in flight with REQUEST_CANCELLED. The connection stays open. */
  close(): void;
}

/** One request, however often it is sent. It counts once among those in flight, and the first reply to any attempt ends it. */
export interface SentRequest {
  /** As of `request`; it rejects with REQUEST_NO_RESPONDERS only if no attempt found a responder. */
  readonly reply: Promise<Reply>;
  /** Sends it once more with the rest of its deadline; does nothing once it has ended. */
  again(deadlineMs: number): void;
}

const DEADLINE_MS = 30_000;
const IN_FLIGHT_MAX = 16_384;
/** The fleet tells the end of a request, and where it was, up to 50 ms after its deadline, which counts from the arrival there. */
const WORD_MS = 250;

/**
 * Sends requests and matches replies, with one inbox and one timer for all. `request()` of nats.js sets a timer and builds a chain of
 * promises for each request, which limits it to 17 thousand per second.
 */
export function createRequester(nc: NatsConnection, options: RequesterOptions): Requester {
  return new InboxRequester(nc, options);
}

class InboxRequester implements Requester {
  readonly #nc: NatsConnection;
  readonly #subject: string;
  readonly #inFlightMax: number;
  readonly #encoder: RequestEncoder;
  readonly #replies: ReplyReader;
  readonly #clock: Clock;
  readonly #wheel: TimingWheel<Call>;
  readonly #calls = new Map<string, Call>();
  /** Includes the final dot. */
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #unwatch: () => void;
  #count = 0;
  #maxPayloadBytes: number;
  #closedWith: ShoalError | undefined;
  /** Whether the timer of the deadlines is set. It runs only while requests are in flight. */
  #isTimed = false;
  readonly #expire = (): void => this.#expireDue();

  constructor(nc: NatsConnection, options: RequesterOptions) {
    const {
      fleet,
      deadlineMs = DEADLINE_MS,
      inFlightMax = IN_FLIGHT_MAX,
      clock = systemClock,
      inbox = createInbox(),
    } = options;
    this.#nc = nc;
    this.#inbox = `${inbox}.`;
    this.#replies = new ReplyReader(fleet, () => nc.getServer());
    this.#subject = subjectsOf(fleet).process;
    this.#inFlightMax = inFlightMax;
    this.#encoder = new RequestEncoder(deadlineMs);
    this.#clock = clock;
    this.#wheel = new TimingWheel(clock.monotonic());
    this.#maxPayloadBytes = nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
    this.#subscription = nc.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
        else this.#end(this.#refusalOf(error) ?? unreachable(error));
      },
    });
    void nc.closed().then((error) => this.#end(unreachable(error)));
    this.#unwatch = onPermissionViolation(nc, (violation) => this.#refused(violation));
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  request(payload: Uint8Array, options: RequestOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#open(payload, options, resolve, reject);
    });
  }

  send(payload: Uint8Array, options: RequestOptions = {}): SentRequest {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const call = this.#open(payload, options, resolve, reject);
    return {
      reply: promise,
      again: (deadlineMs) => this.#again(call, payload, { ...options, deadlineMs, isRepeat: true }),
    };
  }

  close(): void {
    if (this.#closedWith !== undefined) return;
    this.#end(new ShoalError('REQUEST_CANCELLED', 'The client was closed before the reply came'));
    if (!this.#nc.isClosed()) this.#subscription.unsubscribe();
  }

  /** @returns undefined if it was refused */
  #open(
    payload: Uint8Array,
    options: RequestOptions,
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
  ): Call | undefined {
    const { signal } = options;
    try {
      this.#checkRoom(signal);
      const token = (this.#count++).toString(36);
      const deadlineMs = this.#publish(token, payload, options);
      const call = new Call(token, deadlineMs, resolve, reject);
      this.#calls.set(token, call);
      call.expiry = this.#wheel.add(call, this.#clock.monotonic() + deadlineMs + WORD_MS);
      this.#expireLater();
      if (signal !== undefined) call.listen(signal, () => this.#fail(call, cancelled(signal)));
      return call;
    } catch (error) {
      reject(error);
      return undefined;
    }
  }

  #again(call: Call | undefined, payload: Uint8Array, options: RequestOptions): void {
    if (call === undefined || !this.#calls.has(call.token)) return;
    try {
      this.#publish(call.token, payload, options);
      call.attempts += 1;
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #checkRoom(signal: AbortSignal | undefined): void {
    if (this.#closedWith !== undefined) throw this.#closedWith;
    if (signal?.aborted === true) throw cancelled(signal);
    if (this.#calls.size < this.#inFlightMax) return;
    const why = `${this.#calls.size} requests are in flight, and this client takes no more`;
    throw new ShoalError('REQUEST_OVERLOADED', why, { details: { inFlight: this.#calls.size } });
  }

  /** @returns the deadline that it was sent with, in milliseconds from now */
  #publish(token: string, payload: Uint8Array, options: RequestOptions): number {
    const { headers, deadlineMs } = this.#encoder.encode(options);
    this.#checkSize(headers.byteLength + payload.length);
    this.#nc.publish(this.#subject, payload, { reply: this.#inbox + token, headers });
    return deadlineMs;
  }

  #checkSize(bytes: number): void {
    // nats.js forgets it while it reconnects.
    this.#maxPayloadBytes = this.#nc.info?.max_payload ?? this.#maxPayloadBytes;
    if (bytes <= this.#maxPayloadBytes) return;
    const why = `The request has ${bytes} bytes, headers included, and the NATS server takes ${this.#maxPayloadBytes}`;
    throw new ShoalError('REQUEST_TOO_LARGE', why, { details: { bytes, bytesMax: this.#maxPayloadBytes } });
  }

  /** Drops a reply whose call has ended: a result never arrives twice. */
  #receive(message: Msg): void {
    const call = this.#calls.get(message.subject.slice(this.#inbox.length));
    if (call === undefined) return;
    const reply = this.#replies.read(message);
    if (reply instanceof ShoalError) {
      // An earlier attempt may still be answered.
      if (reply.code === 'REQUEST_NO_RESPONDERS' && --call.attempts > 0) return;
      this.#fail(call, reply);
      return;
    }
    this.#forget(call);
    call.resolve(reply);
  }

  /** A refused message is not delivered, so no reply would ever come. */
  #refused(violation: PermissionViolation): void {
    if (violation.operation !== 'publish') return;
    const isOurs = violation.subject.startsWith(this.#inbox);
    const call = isOurs ? this.#calls.get(violation.subject.slice(this.#inbox.length)) : undefined;
    // A refused reply to this inbox: the connection is shared with the fleet, which may not reply.
    if (call !== undefined) this.#fail(call, forbidden(violation, this.#nc.getServer()));
    if (violation.subject !== this.#subject) return;
    const error = forbidden(violation, this.#nc.getServer());
    for (const refused of [...this.#calls.values()]) this.#fail(refused, error);
  }

  #refusalOf(error: unknown): ShoalError | undefined {
    const violation = violationOf(error);
    return violation === undefined ? undefined : forbidden(violation, this.#nc.getServer(), error);
  }

  #fail(call: Call, error: unknown): void {
    this.#forget(call);
    call.reject(error);
  }

  #forget(call: Call): void {
    this.#calls.delete(call.token);
    if (call.expiry !== undefined) this.#wheel.remove(call.expiry);
    call.unlisten();
  }

  #expireLater(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#clock.timer(WHEEL_STEP_MS, this.#expire);
  }

  #expireDue(): void {
    this.#isTimed = false;
    for (const call of this.#wheel.due(this.#clock.monotonic())) this.#fail(call, noReplyWithin(call.deadlineMs));
    if (this.#calls.size > 0) this.#expireLater();
  }

  #end(error: ShoalError): void {
    if (this.#closedWith !== undefined) return;
    this.#closedWith = error;
    this.#unwatch();
    for (const call of [...this.#calls.values()]) this.#fail(call, error);
  }
}

/** One request in flight. */
class Call {
  readonly token: string;
  readonly deadlineMs: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  /** Attempts that may still be answered. */
  attempts = 1;
  /** Its place among the deadlines. */
  expiry: WheelEntry<Call> | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(token: string, deadlineMs: number, resolve: (reply: Reply) => void, reject: (error: unknown) => void) {
    this.token = token;
    this.deadlineMs = deadlineMs;
    this.resolve = resolve;
    this.reject = reject;
  }

  listen(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal;
    this.#onAbort = onAbort;
    signal.addEventListener('abort', onAbort, { once: true });
  }

  unlisten(): void {
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** REQUEST_DEADLINE of the client; the 504 of the fleet says where the request was. */
export function noReplyWithin(deadlineMs: number): ShoalError {
  const why = `No reply came within the deadline of ${deadlineMs} ms`;
  return new ShoalError('REQUEST_DEADLINE', why, {
    details: { deadlineMs, reason: 'no-reply' satisfies RequestEndReason },
  });
}

function cancelled(signal: AbortSignal): ShoalError {
  return new ShoalError('REQUEST_CANCELLED', 'The request was cancelled by its signal', {
    cause: signal.reason,
    details: { reason: 'cancelled' satisfies RequestEndReason },
  });
}

function unreachable(cause: unknown): ShoalError {
  // nats.js resolves `closed()` with the reason, or with nothing after `close()`.
  const options = cause === undefined || cause === null ? {} : { cause };
  return new ShoalError('NATS_UNREACHABLE', 'The connection to NATS is closed', options);
}
