import { SLICE_MS } from './scheduler.ts';

/**
 * Keeps programs that await one call after the other, such as starts and stops in a loop, from keeping timers and I/O
 * waiting: promises that are settled already never leave the microtasks. Once such calls have gone on for a slice, the
 * next one is settled when the event loop has turned.
 */
export class Pace {
  /** True until the event loop has turned since the first call. */
  #isOpen = false;
  #startMs = 0;
  #waiting: (() => void)[] = [];

  /** The same promise, or one that is settled like it in the next round of the event loop. */
  through<T>(promise: Promise<T>): Promise<T> {
    return this.#isOver() ? this.#later(promise) : promise;
  }

  /** Runs a function now, or in the next round of the event loop. */
  run(work: () => void): void {
    if (this.#isOver()) this.#waiting.push(work);
    else work();
  }

  #isOver(): boolean {
    const nowMs = performance.now();
    if (this.#isOpen) return nowMs - this.#startMs >= SLICE_MS;
    this.#isOpen = true;
    this.#startMs = nowMs;
    setImmediate(this.#turned);
    return false;
  }

  async #later<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } finally {
      await this.#turn();
    }
  }

  #turn(): Promise<void> {
    return this.#isOpen ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  readonly #turned = (): void => {
    this.#isOpen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  };
}

/** For a system whose scheduler decides when I/O has its turn: that of a test or a simulation, which repeats runs. */
export const UNPACED: Pick<Pace, 'through' | 'run'> = { through: (promise) => promise, run: (work) => work() };
