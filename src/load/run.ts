import type { CancelTimer, Clock } from '../actors/mod.ts';
import { codeOf } from '../errors.ts';
import { type Bounds, dueMs, dueWithin, type Pace, step } from './pace.ts';
import { Tally } from './tally.ts';

export interface LoadOptions {
  readonly pace: Pace;
  readonly bounds: Bounds;
  /** Sends one request; rejects with its error. */
  readonly send: (index: number, signal: AbortSignal) => Promise<{ readonly vm: number | undefined }>;
  readonly clock: Clock;
  /** Ends the load: nothing more is sent, and requests in flight are cancelled. */
  readonly signal: AbortSignal;
}

/** A running load, whose figures can be read at any time. */
export interface Load {
  readonly tally: Tally;
  /** From the start to now, or to the end of the last request. */
  readonly elapsedMs: number;
  /** Requests that were due and could not be sent, because too many were in flight. */
  readonly notSent: number;
  /**
   * Resolves when all that was sent has ended.
   * @throws the error of a request after which none can succeed
   */
  readonly done: Promise<void>;
}

/** Errors after which no request can succeed, such as a wrong operation. */
const HOPELESS = [
  'REQUEST_INVALID',
  'REQUEST_OPERATION_UNKNOWN',
  'REQUEST_TOO_LARGE',
  'REQUEST_NO_RESPONDERS',
  'NATS_UNREACHABLE',
];
/** Pause after a failure: requests that fail immediately would otherwise occupy the event loop. */
const AFTER_FAILURE_MS = 1;

export function startLoad(options: LoadOptions): Load {
  return new RunningLoad(options);
}

class RunningLoad implements Load {
  readonly tally = new Tally();
  readonly done: Promise<void>;
  readonly #options: LoadOptions;
  readonly #startMs: number;
  readonly #end = Promise.withResolvers<void>();
  readonly #giveUp = new AbortController();
  #endMs: number | undefined;
  #isSending = true;
  #cancelTimer: CancelTimer = () => undefined;
  #cancelRetry: CancelTimer | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#startMs = options.clock.monotonic();
    this.done = this.#end.promise;
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#onAbort();
    else this.#look();
  }

  get elapsedMs(): number {
    return (this.#endMs ?? this.#options.clock.monotonic()) - this.#startMs;
  }

  get notSent(): number {
    const { pace, bounds, signal } = this.#options;
    if (pace.kind !== 'rate' || this.#isSending || signal.aborted) return 0;
    const due = Math.min(bounds.requestsMax, dueWithin(pace, bounds.durationMs, bounds.durationMs));
    return Math.max(0, due - this.tally.sent);
  }

  readonly #onAbort = (): void => {
    this.#stopSending();
    this.#giveUp.abort();
    this.#endIfDone();
  };

  readonly #look = (): void => {
    this.#cancelTimer();
    if (!this.#isSending) return;
    const { pace, bounds, clock } = this.#options;
    const elapsedMs = clock.monotonic() - this.#startMs;
    const { sent, inFlight } = this.tally;
    const { send, isLast, nextMs } = step(pace, bounds, { elapsedMs, sent, inFlight });
    for (let left = send; left > 0; left--) this.#send(elapsedMs);
    if (isLast) {
      this.#stopSending();
      this.#endIfDone();
    } else {
      this.#cancelTimer = clock.timer(Math.max(0, nextMs - elapsedMs), this.#look);
    }
  };

  /** The latency of an overdue request counts from its due time: a user would have waited from then on. */
  #send(elapsedMs: number): void {
    const { pace, send, clock } = this.#options;
    const index = this.tally.sent;
    this.tally.sent += 1;
    const fromMs = this.#startMs + (pace.kind === 'rate' ? Math.min(elapsedMs, dueMs(pace, index)) : elapsedMs);
    send(index, this.#giveUp.signal).then(
      ({ vm }) => {
        this.tally.succeeded(clock.monotonic() - fromMs, vm);
        this.#endIfDone();
        this.#look();
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #failed(error: unknown): void {
    if (this.#giveUp.signal.aborted) {
      this.tally.cancelled += 1;
    } else {
      this.tally.fail(error);
      const code = codeOf(error) ?? '';
      if (code === 'NATS_UNREACHABLE' || (this.tally.ok === 0 && HOPELESS.includes(code))) {
        this.#end.reject(error);
        this.#onAbort();
      }
    }
    this.#endIfDone();
    if (!this.#isSending) return;
    this.#cancelRetry ??= this.#options.clock.timer(AFTER_FAILURE_MS, () => {
      this.#cancelRetry = undefined;
      this.#look();
    });
  }

  #stopSending(): void {
    this.#isSending = false;
    this.#cancelTimer();
  }

  #endIfDone(): void {
    if (this.#isSending || this.tally.inFlight > 0 || this.#endMs !== undefined) return;
    this.#endMs = this.#options.clock.monotonic();
    this.#cancelRetry?.();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#end.resolve();
  }
}
