import { setImmediate } from 'node:timers/promises';
import { FairScheduler, type Runnable, type Scheduler } from '../scheduler.ts';

/** Actors that still have mail after so many trips round the event loop feed each other for ever. */
const ROUNDS_MAX = 100_000;

/** A scheduler that can also be asked when nobody has anything left to do. */
export class QuietScheduler implements Scheduler {
  readonly #inner: Scheduler;
  #waiting = 0;
  #turns = 0;

  /** @param inner decides who is next; default: the scheduler of production */
  constructor(inner: Scheduler = new FairScheduler()) {
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
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const turns = this.#turns;
      await setImmediate();
      if (this.#waiting === 0 && this.#turns === turns) return;
    }
    throw new Error(`actors still have mail after ${ROUNDS_MAX} rounds: they send to each other for ever`);
  }
}
