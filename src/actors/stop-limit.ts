import type { CancelTimer, Clock } from './clock.ts';

/** The time by which an actor must have stopped: the earliest that was set. */
export class StopLimit {
  /** The time limit of the first who asked for the end. */
  readonly firstMs: number;
  readonly #clock: Clock;
  readonly #expired: (afterMs: number) => void;
  #atMs = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock, firstMs: number, expired: (afterMs: number) => void) {
    this.#clock = clock;
    this.firstMs = firstMs;
    this.#expired = expired;
  }

  set(ms: number): void {
    if (ms <= 0) {
      this.#expired(ms);
      return;
    }
    const atMs = this.#clock.monotonic() + ms;
    if (atMs >= this.#atMs) return;
    this.#atMs = atMs;
    this.#cancel?.();
    this.#cancel = this.#clock.timer(ms, () => this.#expired(ms));
  }

  cancel(): void {
    this.#cancel?.();
  }
}
