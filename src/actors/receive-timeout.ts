import type { CancelTimer } from './clock.ts';
import type { Timers } from './timers.ts';

export interface ReceiveTimeoutOptions {
  readonly afterMs: number;
  readonly nowMs: () => number;
  /** A message is in hand or waits. */
  readonly isBusy: () => boolean;
  readonly fire: () => void;
}

/**
 * Fires whenever nothing was received for a while. A message only notes the time; the timer, when it is due, sees how much of the
 * while is left: setting a timer anew for each message would cost more than handling it.
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

  /** Messages were received. */
  touch(): void {
    this.#lastMs = this.#options.nowMs();
  }

  cancel(): void {
    this.#cancel();
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
    this.touch();
    this.#cancel = this.#set(afterMs);
    fire();
  }
}
