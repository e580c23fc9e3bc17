import type { CancelTimer, Clock } from './clock.ts';

/** The timers of one incarnation, which end with it. */
export class Timers {
  readonly #clock: Clock;
  readonly #pending = new Set<CancelTimer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(delayMs: number, fire: () => void): CancelTimer {
    const cancelTimer = this.#clock.timer(delayMs, () => {
      this.#pending.delete(cancel);
      fire();
    });
    const cancel: CancelTimer = () => {
      this.#pending.delete(cancel);
      cancelTimer();
    };
    this.#pending.add(cancel);
    return cancel;
  }

  cancelAll(): void {
    for (const cancel of this.#pending) cancel();
  }
}
