import type { Msg, NatsConnection, Subscription } from 'nats';
import type { Clock, Random, Ref } from '../actors/mod.ts';
import { type FailureReason, type Outcome, REQUEST_END_REASONS } from '../fleet/mod.ts';
import type { EndpointCounts, RouterRequest } from './endpoint-messages.ts';
import { EndpointStats } from './endpoint-stats.ts';
import { type Failure, ReplySender } from './reply-sender.ts';
import { isReplySubject } from './reply-subject.ts';
import type { ReplyTokens } from './reply-token.ts';
import { RequestHeaderReader } from './request-header-reader.ts';
import { QUEUE } from './subjects.ts';
import { within } from './within.ts';

export interface ProcessServiceOptions {
  readonly nc: NatsConnection;
  readonly subject: string;
  readonly router: Ref<RouterRequest>;
  readonly tokens: ReplyTokens;
  readonly clock: Clock;
  readonly random: Random;
  readonly inFlightMax: number;
  readonly inFlightBytesMax: number;
  readonly onDropped: () => void;
  readonly onLost: (error: unknown) => void;
}

const ID_BYTES = 6;

/**
 * The hot path between NATS and the router. It runs in the callback of one subscription and awaits nothing; equal headers are decoded once.
 * It never throws: nats.js stops reading when a callback does.
 */
export class ProcessService {
  defaultDeadlineMs: number;
  readonly stats = new EndpointStats();
  readonly #nc: NatsConnection;
  readonly #subject: string;
  readonly #router: Ref<RouterRequest>;
  readonly #tokens: ReplyTokens;
  readonly #clock: Clock;
  readonly #options: ProcessServiceOptions;
  readonly #headers = new RequestHeaderReader();
  readonly #sender: ReplySender;
  readonly #inFlight = new Set<PendingReply>();
  /**
   * Prefix of generated request ids. A guest may hold requests of several Shoals, so 48 random bits tell them apart. Ids travel to the guest
   * and back, so they are short.
   */
  readonly #idPrefix: string;
  #inFlightBytes = 0;
  #idCount = 0;
  #withoutReply = 0;
  #unsent = 0;
  #orphanedReplies = 0;
  #subscription: Subscription | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(options: ProcessServiceOptions, defaultDeadlineMs: number) {
    this.#options = options;
    this.#nc = options.nc;
    this.#idPrefix = `s${Buffer.from(options.random.bytes(ID_BYTES)).toString('base64url')}.`;
    this.#sender = new ReplySender(options.nc, options.clock, () => {
      this.#unsent += 1;
    });
    this.#subject = options.subject;
    this.#router = options.router;
    this.#tokens = options.tokens;
    this.#clock = options.clock;
    this.defaultDeadlineMs = defaultDeadlineMs;
  }

  subscribe(): void {
    const subscription = this.#nc.subscribe(this.#subject, {
      queue: QUEUE,
      callback: (error, message) => {
        if (error === null) this.#receive(message);
        else this.#options.onLost(error);
      },
    });
    this.#subscription = subscription;
    // Nothing else reports a subscription that ended with its connection.
    subscription.closed.then(
      () => this.#closed(subscription),
      (error: unknown) => this.#options.onLost(error),
    );
  }

  counts(): EndpointCounts {
    return {
      requests: this.stats.requests,
      errors: this.stats.errors,
      inFlight: this.#inFlight.size,
      withoutReply: this.#withoutReply,
      unsent: this.#unsent,
      orphanedReplies: this.#orphanedReplies,
    };
  }

  /** Stops taking requests and waits for the open ones; at the limit, the rest are answered 503. Never rejects. */
  async drain(limitMs: number): Promise<void> {
    const endMs = this.#clock.monotonic() + limitMs;
    const subscription = this.#subscription;
    this.#subscription = undefined;
    // Requests that the server sent before it read the unsubscribe still arrive, and are answered.
    if (subscription !== undefined && !subscription.isClosed() && !this.#nc.isClosed()) {
      await within(subscription.drain(), limitMs, this.#clock).catch(() => undefined);
    }
    if (this.#inFlight.size > 0) {
      const idle = new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
      await within(idle, Math.max(0, endMs - this.#clock.monotonic()), this.#clock);
    }
    for (const pending of [...this.#inFlight]) pending.tell(STOPPING);
    this.#sender.flush();
    const flushMs = Math.max(FLUSH_MS, endMs - this.#clock.monotonic());
    if (!this.#nc.isClosed()) await within(this.#nc.flush(), flushMs, this.#clock).catch(() => undefined);
  }

  /** Sends the reply to a request that an earlier Shoal dispatched. A token with a wrong hash is ignored. */
  sendOrphanedReply(token: Uint8Array, outcome: Outcome): void {
    const address = this.#tokens.open(token);
    if (address === undefined) return;
    this.#orphanedReplies += 1;
    this.#sender.send(address.subject, outcome);
  }

  /** Called by `PendingReply`. */
  finish(pending: PendingReply, outcome: Outcome): void {
    this.#inFlight.delete(pending);
    this.#inFlightBytes -= pending.payloadBytes;
    const error = outcome.isSent === true ? toldElsewhere(outcome) : this.#sender.send(pending.replySubject, outcome);
    // No other reply can join the batch, so a lone client need not wait for the end of the round.
    if (this.#inFlight.size === 0) this.#sender.flush();
    const processingMs = this.#clock.monotonic() - pending.startedMs;
    if (error === undefined) this.stats.succeeded(processingMs);
    else this.stats.failed(error.status, error.message, processingMs);
    if (this.#inFlight.size === 0 && this.#idleWaiters.length > 0) this.#idle();
  }

  #receive(message: Msg): void {
    const startedMs = this.#clock.monotonic();
    const replySubject = message.reply ?? '';
    if (!isReplySubject(replySubject)) {
      this.#withoutReply += 1;
      this.stats.failed(400, 'a request without a reply subject, or with one that no reply may go to', 0);
      this.#options.onDropped();
      return;
    }
    const headers = this.#headers.read(message);
    if (typeof headers === 'string') {
      this.#refuse(replySubject, 'bad-request', headers);
      return;
    }
    if (this.#inFlight.size >= this.#options.inFlightMax) {
      this.#refuse(replySubject, 'endpoint-full', `overloaded: ${this.#inFlight.size} requests are in hand`);
      return;
    }
    const payloadBytes = message.data.length;
    // A single request is always taken: the NATS server has limited its size.
    if (this.#inFlight.size > 0 && this.#inFlightBytes + payloadBytes > this.#options.inFlightBytesMax) {
      this.#refuse(replySubject, 'endpoint-full', `overloaded: requests of ${this.#inFlightBytes} bytes are in hand`);
      return;
    }
    const requestId = headers.requestId ?? this.#idPrefix + this.#idCount++;
    const pending = new PendingReply(this, replySubject, payloadBytes, startedMs);
    this.#inFlight.add(pending);
    this.#inFlightBytes += payloadBytes;
    const taken = this.#router.tell({
      kind: 'request',
      request: {
        requestId,
        // The client does not know a generated id and cannot repeat it, so its reply need not be cached.
        isIdGenerated: headers.requestId === undefined,
        ...(headers.isRepeat ? { isRepeat: true } : {}),
        replySubject,
        op: headers.op,
        payload: message.data,
        ...(headers.contentType === undefined ? {} : { contentType: headers.contentType }),
        deadlineMs: startedMs + (headers.deadlineMs ?? this.defaultDeadlineMs),
        retry: headers.retry,
        token: this.#tokens.seal(replySubject, requestId),
        replyTo: pending,
      },
    });
    if (!taken) pending.tell(ROUTER_AWAY);
  }

  /** Refuses a request before it reaches the router. */
  #refuse(replySubject: string, reason: FailureReason, message: string): void {
    const status = REQUEST_END_REASONS[reason];
    this.stats.failed(status, message, 0);
    this.#sender.sendError(replySubject, { status, reason, message });
  }

  #idle(): void {
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters = [];
  }

  #closed(subscription: Subscription): void {
    if (this.#subscription === subscription) this.#options.onLost(new Error('the connection to NATS was closed'));
  }
}

/** The last replies get this long even if the limit has been used up. */
const FLUSH_MS = 250;

/** The host that worked has told the client. @returns the error that it was told, if it was one */
function toldElsewhere(outcome: Outcome): Failure | undefined {
  return outcome.ok ? undefined : outcome;
}

const STOPPING: Outcome = { ok: false, status: 503, reason: 'shoal-stopping', message: 'Shoal is stopping' };
const ROUTER_AWAY: Outcome = {
  ok: false,
  status: 503,
  reason: 'router-away',
  message: 'overloaded: the router takes no more requests',
};

/** Takes the outcome of one request, once. */
class PendingReply implements Ref<Outcome> {
  readonly replySubject: string;
  readonly payloadBytes: number;
  readonly startedMs: number;
  readonly #service: ProcessService;
  #isSettled = false;

  constructor(service: ProcessService, replySubject: string, payloadBytes: number, startedMs: number) {
    this.#service = service;
    this.replySubject = replySubject;
    this.payloadBytes = payloadBytes;
    this.startedMs = startedMs;
  }

  get path(): string {
    return `endpoint/${this.replySubject}`;
  }

  tell(outcome: Outcome): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#service.finish(this, outcome);
    return true;
  }
}
