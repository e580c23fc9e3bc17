import type { NatsConnection } from 'nats';
import type { Behaviour, Context, Ref } from '../actors/mod.ts';
import { fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { confirmSubscription } from './confirm-subscription.ts';
import { type Discovery, serveDiscovery } from './discovery.ts';
import type { EndpointEvent, EndpointMessage, RouterRequest } from './endpoint-messages.ts';
import { forbidden, violationOf } from './permissions.ts';
import { ProcessService } from './process-service.ts';
import { ReplyTokens } from './reply-token.ts';
import { QUEUE, subjectsOf } from './subjects.ts';

export interface EndpointOptions {
  readonly nc: NatsConnection;
  readonly fleet: string;
  /** False: only replies are published, those of requests that came in elsewhere; default true. */
  readonly takesRequests?: boolean;
  /** Semantic version of Shoal, for `$SRV`. */
  readonly version: string;
  readonly router: Ref<RouterRequest>;
  /** 16 bytes that survive a restart of Shoal (`ReplyTokens`). */
  readonly tokenKey: Uint8Array;
  /** `deadline_ms` of the parameters; default 30000. */
  readonly deadlineMs?: number;
  /** Further requests are refused while this many are open; default 100000, above the limits of the router. */
  readonly inFlightMax?: number;
  /** Further requests are refused while the open ones hold this many bytes of text; default 256 MiB. */
  readonly inFlightBytesMax?: number;
  /** How long stopping waits for open requests; default 3000, below the 5000 of a child. */
  readonly drainLimitMs?: number;
  readonly events?: Ref<EndpointEvent>;
}

const DEADLINE_MS = 30_000;
const IN_FLIGHT_MAX = 100_000;
/** The router limits the number of waiting requests; 10 000 of 1 MiB each would exceed the memory of most machines. */
const IN_FLIGHT_BYTES_MAX = 256 * 1024 * 1024;
const DRAIN_LIMIT_MS = 3_000;
const EVENT_INTERVAL_MS = 1_000;

/**
 * Serves `shoal.<fleet>.process`: sends each request to the router and the router's outcome to the client. Stopping it drains it, so start
 * it after the router; it is then stopped first.
 * The start fails with NATS_FORBIDDEN if the user may not subscribe, and with NATS_UNREACHABLE if the server is lost.
 */
export function endpoint(options: EndpointOptions): Behaviour<EndpointMessage> {
  return async (context) => {
    const body = new Endpoint(context, options);
    context.onStop(() => body.close(), 'before-children');
    await body.open();
    return (message) => body.receive(message);
  };
}

class Endpoint {
  readonly #context: Context<EndpointMessage>;
  readonly #options: EndpointOptions;
  readonly #service: ProcessService;
  #discovery: Discovery | undefined;
  #isOpen = false;
  /** Set if the subscription failed before the endpoint was open. */
  #lostBecause: ShoalError | undefined;
  #dropped = 0;
  #isReporting = false;

  constructor(context: Context<EndpointMessage>, options: EndpointOptions) {
    this.#context = context;
    this.#options = options;
    const { nc, fleet, router, tokenKey, deadlineMs = DEADLINE_MS } = options;
    const { inFlightMax = IN_FLIGHT_MAX, inFlightBytesMax = IN_FLIGHT_BYTES_MAX } = options;
    const subject = subjectsOf(fleet).process;
    const service = {
      nc,
      subject,
      router,
      tokens: new ReplyTokens(tokenKey),
      clock: context.clock,
      random: context.system.random,
      inFlightMax,
      inFlightBytesMax,
      onDropped: () => this.#droppedOne(),
      onLost: (error: unknown) => this.#lost(error),
    };
    this.#service = new ProcessService(service, deadlineMs);
  }

  /** Resolves once the server has confirmed the subscriptions; from then on clients find a responder. */
  async open(): Promise<void> {
    const { nc, fleet, version } = this.#options;
    const { clock } = this.#context;
    if (this.#options.takesRequests === false) return;
    this.#service.subscribe();
    const { process: subject } = subjectsOf(fleet);
    const report = () => this.#service.stats.report();
    const description = { version, fleet, endpoint: { name: 'process', subject, queue: QUEUE, report } };
    this.#discovery = serveDiscovery(nc, description, clock.now());
    await confirmSubscription(nc, subject, clock);
    if (this.#lostBecause !== undefined) throw this.#lostBecause;
    this.#isOpen = true;
  }

  receive(message: EndpointMessage): void {
    switch (message.kind) {
      case 'drain':
        this.#drain(message.limitMs, message.replyTo);
        return;
      case 'drained':
        message.replyTo.tell(true);
        return;
      case 'orphaned-reply':
        this.#service.sendOrphanedReply(message.token, message.outcome);
        return;
      case 'default-deadline':
        this.#service.defaultDeadlineMs = message.deadlineMs;
        return;
      case 'counts':
        message.replyTo.tell(this.#service.counts());
        return;
      case 'subscription-lost':
        throw fromEnvelope(message.error);
      case 'report-dropped':
        this.#reportDropped();
        return;
    }
  }

  close(): Promise<void> {
    this.#undiscover();
    return this.#service.drain(this.#options.drainLimitMs ?? DRAIN_LIMIT_MS);
  }

  #drain(limitMs: number, replyTo: Ref<true>): void {
    this.#undiscover();
    const drained = (): EndpointMessage => ({ kind: 'drained', replyTo });
    this.#context.pipe(this.#service.drain(limitMs), drained, drained);
  }

  #lost(cause: unknown): void {
    const violation = violationOf(cause);
    const error = violation === undefined ? cause : forbidden(violation, this.#options.nc.getServer(), cause);
    if (this.#isOpen) this.#context.self.tell({ kind: 'subscription-lost', error: toEnvelope(error) });
    else this.#lostBecause ??= error instanceof ShoalError ? error : subscriptionLost(error);
  }

  #undiscover(): void {
    this.#discovery?.close();
    this.#discovery = undefined;
  }

  /** Reports the first at once, and those of the following second together. */
  #droppedOne(): void {
    this.#dropped += 1;
    if (this.#isReporting) return;
    this.#isReporting = true;
    this.#context.self.tell({ kind: 'report-dropped' });
  }

  #reportDropped(): void {
    if (this.#dropped === 0) {
      this.#isReporting = false;
      return;
    }
    this.#options.events?.tell({ kind: 'requests-without-reply', count: this.#dropped });
    this.#dropped = 0;
    this.#context.after(EVENT_INTERVAL_MS, { kind: 'report-dropped' });
  }
}

function subscriptionLost(cause: unknown): ShoalError {
  return new ShoalError('NATS_UNREACHABLE', 'The NATS server was lost while subscribing', { cause });
}
