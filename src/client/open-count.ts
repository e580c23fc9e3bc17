import type { Clock } from '../actors/mod.ts';

/** Counts what is under way, for those who wait until nothing is. */
export class OpenCount {
  readonly #clock: Clock;
  #count = 0;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await work;
    } finally {
      this.#count -= 1;
      if (this.#count === 0) for (const wake of this.#waiting) wake();
    }
  }

  /** Resolves when nothing is under way, or after `limitMs`. */
  async none(limitMs: number): Promise<void> {
    if (this.#count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const cancel = this.#clock.timer(limitMs, resolve);
    await promise;
    cancel();
    this.#waiting.delete(resolve);
  }
}
