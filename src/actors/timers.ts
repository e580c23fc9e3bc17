import type { CancelTimer, Clock } from './clock.ts';
import { LinkedList } from './linked-list.ts';

/** The timers of one incarnation. They end with it. */
export class Timers {
  readonly #clock: Clock;
  readonly #timers = new LinkedList<CancelTimer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(delayMs: number, fire: () => void): CancelTimer {
    const cancelTimer = this.#clock.timer(delayMs, () => {
      this.#timers.remove(node);
      fire();
    });
    const cancel: CancelTimer = () => {
      this.#timers.remove(node);
      cancelTimer();
    };
    const node = this.#timers.push(cancel);
    return cancel;
  }

  cancelAll(): void {
    for (let cancel = this.#timers.first; cancel !== undefined; cancel = this.#timers.first) cancel();
  }
}
