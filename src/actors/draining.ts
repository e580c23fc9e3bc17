import type { CancelTimer, Clock } from './clock.ts';

export interface DrainingOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whether no message waits or is in hand. */
  readonly isDone: () => boolean;
  /** @param leftMs what is left of `timeoutMs` */
  readonly stop: (leftMs: number) => void;
}

/** Stops an actor as soon as it has handled the messages that wait, or when the time for that is up. */
export class Draining {
  readonly #options: DrainingOptions;
  readonly #deadlineMs: number;
  readonly #cancelTimer: CancelTimer;
  #isDone = false;

  constructor(options: DrainingOptions) {
    const { clock, timeoutMs, stop } = options;
    this.#options = options;
    this.#deadlineMs = clock.monotonic() + timeoutMs;
    this.#cancelTimer = clock.timer(timeoutMs, () => stop(0));
  }

  /** How long the children may take to handle what waits for them. None if the actor itself was not done in time. */
  get childrenMs(): number {
    return this.#isDone ? this.#leftMs : 0;
  }

  /** The actor has handled messages, or has started. */
  touch(): void {
    if (this.#isDone || !this.#options.isDone()) return;
    this.#isDone = true;
    this.#options.stop(this.#leftMs);
  }

  cancel(): void {
    this.#cancelTimer();
  }

  get #leftMs(): number {
    return Math.max(0, this.#deadlineMs - this.#options.clock.monotonic());
  }
}
