import type { CancelTimer, Clock } from './clock.ts';

/** The timers of one incarnation. They end with it. */
export class Timers {
  readonly #clock: Clock;
  readonly #timers = new Set<CancelTimer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(delayMs: number, fire: () => void): CancelTimer {
    const cancelTimer = this.#clock.timer(delayMs, () => {
      this.#timers.delete(cancel);
      fire();
    });
    const cancel: CancelTimer = () => {
      this.#timers.delete(cancel);
      cancelTimer();
    };
    this.#timers.add(cancel);
    return cancel;
  }

  cancelAll(): void {
    for (const cancel of this.#timers) cancel();
  }
}
