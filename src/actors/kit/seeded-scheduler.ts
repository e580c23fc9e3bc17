import type { Runnable, Scheduler } from '../scheduler.ts';
import { seededRandom } from './seeded-random.ts';

/** As in production, I/O runs even while actors send to each other for ever. */
const TURNS_BEFORE_IO = 32;

/**
 * Lets a seed decide which of the actors with mail takes its turn next, so that one seed always gives the same
 * interleaving. Each turn has a microtask of its own, so that promises settle between any two.
 */
export class SeededScheduler implements Scheduler {
  readonly #random: () => number;
  readonly #ready: Runnable[] = [];
  #turns = 0;
  #awake = false;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  schedule(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (this.#awake) return;
    this.#awake = true;
    queueMicrotask(() => this.#turn());
  }

  #turn(): void {
    const [runnable] = this.#ready.splice(Math.floor(this.#random() * this.#ready.length), 1);
    if (runnable?.turn() === true) this.#ready.push(runnable);
    this.#turns += 1;
    if (this.#ready.length === 0) this.#awake = false;
    else if (this.#turns % TURNS_BEFORE_IO === 0) setImmediate(() => this.#turn());
    else queueMicrotask(() => this.#turn());
  }
}
