import { setImmediate } from 'node:timers/promises';
import { FairScheduler, type Runnable, type Scheduler } from '../scheduler.ts';

/**
 * Actors that still have mail after so many turns send to each other for ever. Counted in turns, because time depends
 * on the machine.
 */
const TURNS_MAX = 1_000_000;

/** A scheduler that knows when no actor has anything left to do. */
export class QuietScheduler implements Scheduler {
  readonly #inner: Scheduler;
  #waiting = 0;
  #turns = 0;

  /** @param inner decides who is next; default: the scheduler that production uses */
  constructor(inner: Scheduler = repeatable()) {
    this.#inner = inner;
  }

  schedule(runnable: Runnable): void {
    this.#waiting += 1;
    this.#inner.schedule({
      turn: (slice) => {
        this.#turns += 1;
        const more = runnable.turn(slice);
        if (!more) this.#waiting -= 1;
        return more;
      },
    });
  }

  /**
   * Resolves when no actor has mail, and all promises have settled that do not wait for I/O or a timer.
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

const READING_MS = 0.01;

/**
 * The scheduler that production uses, with a clock that moves at each reading: promises and I/O then run at repeatable
 * moments.
 */
function repeatable(): FairScheduler {
  let readings = 0;
  return new FairScheduler(() => READING_MS * readings++);
}
