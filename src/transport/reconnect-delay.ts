import type { Clock } from '../actors/mod.ts';

const DELAY_MS_MIN = 50;
const DELAY_MS_MAX = 2_000;

/**
 * How long to wait between two attempts to reconnect: half of the time that the server has been away, so that attempts thin out
 * geometrically. nats.js asks several times for one attempt and gives no count, so the answer depends on time alone. It makes an attempt as
 * soon as that long has passed since the one before.
 */
export class ReconnectDelay {
  readonly #clock: Clock;
  readonly #mayReconnect: () => boolean;
  #lostAtMs: number | undefined;
  /** When nats.js made its latest attempt. */
  #attemptAtMs = Number.NEGATIVE_INFINITY;

  /** @param mayReconnect while it says no, no attempt is made */
  constructor(clock: Clock, mayReconnect: () => boolean = () => true) {
    this.#clock = clock;
    this.#mayReconnect = mayReconnect;
  }

  lost(): void {
    this.#lostAtMs ??= this.#clock.monotonic();
  }

  back(): void {
    this.#lostAtMs = undefined;
  }

  delayMs(): number {
    const nowMs = this.#clock.monotonic();
    const delayMs = this.#thinnedMs();
    if (!this.#mayReconnect()) return Math.max(0, nowMs - this.#attemptAtMs) + delayMs;
    if (this.#attemptAtMs + delayMs <= nowMs) this.#attemptAtMs = nowMs;
    return delayMs;
  }

  #thinnedMs(): number {
    if (this.#lostAtMs === undefined) return DELAY_MS_MIN;
    const awayMs = this.#clock.monotonic() - this.#lostAtMs;
    return Math.min(DELAY_MS_MAX, Math.max(DELAY_MS_MIN, awayMs / 2));
  }
}
