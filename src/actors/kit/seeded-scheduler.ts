import type { Runnable, Scheduler, Slice } from '../scheduler.ts';
import { seededRandom } from './seeded-random.ts';

/** As in production, I/O runs even while actors send to each other for ever. */
const TURNS_BEFORE_IO = 32;

/** A turn ends only by its own rules. */
const ENDLESS: Slice = { messagesLeft: Number.POSITIVE_INFINITY, spend: () => false };

/**
 * Lets a seed decide which of the actors with mail takes its turn next, so that one seed always gives the same
 * interleaving. Each turn has a microtask of its own, so that promises settle between any two.
 */
export class SeededScheduler implements Scheduler {
  readonly #random: () => number;
  readonly #ready: Runnable[] = [];
  /** Turns since the event loop has turned. */
  #turns = 0;
  /** True while a turn is on its way. */
  #awake = false;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  schedule(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (this.#awake) return;
    this.#awake = true;
    this.#next();
  }

  /** Handlers that await each other never leave the microtasks, so the turns count on while no actor has mail. */
  #next(): void {
    if (this.#turns < TURNS_BEFORE_IO) {
      queueMicrotask(() => this.#turn());
      return;
    }
    setImmediate(() => {
      this.#turns = 0;
      this.#turn();
    });
  }

  #turn(): void {
    const [runnable] = this.#ready.splice(Math.floor(this.#random() * this.#ready.length), 1);
    if (runnable?.turn(ENDLESS) === true) this.#ready.push(runnable);
    this.#turns += 1;
    this.#awake = this.#ready.length > 0;
    if (this.#awake) this.#next();
  }
}
