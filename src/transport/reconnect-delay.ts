import type { Clock } from '../actors/mod.ts';

const DELAY_MS_MIN = 50;
const DELAY_MS_MAX = 2_000;

/**
 * How long to wait between two attempts to reconnect: half of the time that the server has been away, so that attempts thin out
 * geometrically. nats.js asks several times for one attempt and gives no count, so the answer depends on time alone.
 */
export class ReconnectDelay {
  readonly #clock: Clock;
  #lostAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lost(): void {
    this.#lostAtMs ??= this.#clock.monotonic();
  }

  back(): void {
    this.#lostAtMs = undefined;
  }

  delayMs(): number {
    if (this.#lostAtMs === undefined) return DELAY_MS_MIN;
    const awayMs = this.#clock.monotonic() - this.#lostAtMs;
    return Math.min(DELAY_MS_MAX, Math.max(DELAY_MS_MIN, awayMs / 2));
  }
}
