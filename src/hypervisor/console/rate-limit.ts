/**
 * A token bucket: a rate in the long run, and a burst above it. Whoever takes from it keeps one figure of its own: when
 * its bucket will be full again, 0 at first.
 */
export class RateLimit {
  readonly #msEach: number;
  /** How long the bucket may take to be full again before something is taken. */
  readonly #emptyMs: number;

  constructor(perSecond: number, burst: number) {
    this.#msEach = 1_000 / perSecond;
    this.#emptyMs = (burst - 1) * this.#msEach;
  }

  /**
   * @param nowMs on a clock that never goes back
   * @returns when the bucket will be full again; undefined if there was nothing to take
   */
  take(fullMs: number, nowMs: number): number | undefined {
    if (fullMs - nowMs > this.#emptyMs) return undefined;
    return Math.max(fullMs, nowMs) + this.#msEach;
  }
}
