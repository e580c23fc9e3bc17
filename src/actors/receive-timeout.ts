import type { CancelTimer } from './clock.ts';
import type { Timers } from './timers.ts';

export interface ReceiveTimeoutOptions {
  readonly afterMs: number;
  readonly nowMs: () => number;
  /** Whether a message is in hand or waits. */
  readonly isBusy: () => boolean;
  readonly fire: () => void;
  /** Called when it is cancelled: what it has fired is no longer wanted. */
  readonly cancelled: () => void;
}

/**
 * Fires whenever the actor has received no message for `afterMs`. A message only records the time, and the timer, when
 * it fires, works out how much is left: a new timer for each message would cost more than handling the message.
 */
export class ReceiveTimeout {
  readonly #timers: Timers;
  readonly #options: ReceiveTimeoutOptions;
  #lastMs: number;
  #cancel: CancelTimer;

  constructor(timers: Timers, options: ReceiveTimeoutOptions) {
    this.#timers = timers;
    this.#options = options;
    this.#lastMs = options.nowMs();
    this.#cancel = this.#set(options.afterMs);
  }

  /** The actor has received messages. */
  touch(): void {
    this.#lastMs = this.#options.nowMs();
  }

  cancel(): void {
    this.#cancel();
    this.#options.cancelled();
  }

  #set(delayMs: number): CancelTimer {
    return this.#timers.set(delayMs, () => this.#due());
  }

  #due(): void {
    const { afterMs, nowMs, isBusy, fire } = this.#options;
    if (isBusy()) this.touch();
    const leftMs = this.#lastMs + afterMs - nowMs();
    if (leftMs > 0) {
      this.#cancel = this.#set(leftMs);
      return;
    }
    this.#cancel = this.#set(afterMs);
    fire();
  }
}
