import { setImmediate } from 'node:timers/promises';
import { FairScheduler, type Runnable, type Scheduler } from '../scheduler.ts';

/** Actors that still have mail after so many turns feed each other for ever. Not counted in time: that depends on the machine. */
const TURNS_MAX = 1_000_000;

/** A scheduler that can also be asked when nobody has anything left to do. */
export class QuietScheduler implements Scheduler {
  readonly #inner: Scheduler;
  #waiting = 0;
  #turns = 0;

  /** @param inner decides who is next; default: the scheduler of production */
  constructor(inner: Scheduler = repeatable()) {
    this.#inner = inner;
  }

  schedule(runnable: Runnable): void {
    this.#waiting += 1;
    this.#inner.schedule({
      turn: () => {
        this.#turns += 1;
        const more = runnable.turn();
        if (!more) this.#waiting -= 1;
        return more;
      },
    });
  }

  /**
   * Resolves when no actor has mail and no promise is left that only waits for other promises. What waits for I/O or for a timer
   * is not waited for.
   */
  async settle(): Promise<void> {
    const first = this.#turns;
    while (this.#turns - first < TURNS_MAX) {
      const turns = this.#turns;
      await setImmediate();
      if (this.#waiting === 0 && this.#turns === turns) return;
    }
    throw new Error(`actors still have mail after ${TURNS_MAX} turns: they send to each other for ever`);
  }
}

/** As in production, but that each look at the clock finds time passed: when promises and I/O have their chance is then repeatable. */
function repeatable(): FairScheduler {
  let looks = 0;
  return new FairScheduler(() => looks++);
}
