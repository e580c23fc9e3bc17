import type { CancelTimer, Clock } from './clock.ts';

export interface RateLimitOptions {
  readonly clock: Clock;
  /** How many are admitted in a period. */
  readonly max: number;
  readonly periodMs: number;
  /** Told at the end of a period how many were left out, if any. */
  readonly onOmitted: (omitted: number) => void;
}

/** Admits a few in a period and counts the others. A timer runs only while there are others. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  #startMs = Number.NEGATIVE_INFINITY;
  #admitted = 0;
  #omitted = 0;
  #cancel: CancelTimer = () => undefined;

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  admits(): boolean {
    if (this.#omitted > 0) {
      this.#omitted += 1;
      return false;
    }
    const { clock, max, periodMs } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#startMs >= periodMs) {
      this.#startMs = nowMs;
      this.#admitted = 0;
    }
    if (this.#admitted < max) {
      this.#admitted += 1;
      return true;
    }
    this.#omitted = 1;
    this.#cancel = clock.timer(this.#startMs + periodMs - nowMs, () => this.flush());
    return false;
  }

  /** Ends the period, if something was left out in it. */
  flush(): void {
    const omitted = this.#omitted;
    if (omitted === 0) return;
    this.#cancel();
    this.#omitted = 0;
    this.#startMs = Number.NEGATIVE_INFINITY;
    this.#options.onOmitted(omitted);
  }
}
