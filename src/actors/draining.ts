import type { CancelTimer, Clock } from './clock.ts';

export interface DrainingOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whether no message waits or is in hand. */
  readonly isDone: () => boolean;
  readonly stop: () => void;
}

/** Stops an actor as soon as it has handled the messages that wait, or when the time for that is up. */
export class Draining {
  readonly #options: DrainingOptions;
  readonly #cancelTimer: CancelTimer;

  constructor(options: DrainingOptions) {
    this.#options = options;
    this.#cancelTimer = options.clock.timer(options.timeoutMs, options.stop);
  }

  /** The actor has handled messages, or has started. */
  touch(): void {
    if (this.#options.isDone()) this.#options.stop();
  }

  cancel(): void {
    this.#cancelTimer();
  }
}
