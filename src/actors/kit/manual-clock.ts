import { setImmediate } from 'node:timers/promises';
import { checkOptions, FUNCTION, numberRule, type Rules } from '../checks.ts';
import type { CancelTimer, Clock } from '../clock.ts';

export interface ManualClockOptions {
  /** The wall clock's first reading, milliseconds since the epoch; default 2026-01-01T00:00:00Z. */
  readonly nowMs?: number;
  /** Runs everything that is ready; default: one trip round the event loop. */
  readonly settle?: () => Promise<void>;
}

export const CLOCK_RULES: Rules<ManualClockOptions> = {
  nowMs: numberRule('a number of milliseconds', Number.isFinite),
  settle: FUNCTION,
};

interface Timer {
  readonly atMs: number;
  /** Timers of the same instant fire in the order of their setting. */
  readonly order: number;
  readonly callback: () => void;
}

/** More timers than this at one instant are an endless loop: a timer that sets itself again with no delay. */
const FIRINGS_AT_ONE_INSTANT_MAX = 100_000;

/** A clock that stands still until a test moves it. `monotonic()` starts at 0. */
export class ManualClock implements Clock {
  #monotonicMs = 0;
  #epochMs: number;
  #order = 0;
  #advancing = false;
  /** Soonest first. */
  readonly #timers: Timer[] = [];
  readonly #settle: () => Promise<void>;

  constructor(options: ManualClockOptions = {}) {
    checkOptions('a clock', options, CLOCK_RULES);
    this.#epochMs = options.nowMs ?? Date.UTC(2026, 0, 1);
    this.#settle = options.settle ?? (() => setImmediate());
  }

  now(): number {
    return this.#epochMs + this.#monotonicMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  timer(delayMs: number, callback: () => void): CancelTimer {
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.splice(this.#position(timer), 0, timer);
    return () => {
      const position = this.#position(timer);
      if (this.#timers[position] === timer) this.#timers.splice(position, 1);
    };
  }

  soon(callback: () => void): void {
    globalThis.setImmediate(callback);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * Moves time on and fires the timers that fall due, in order. Everything that is ready runs before the first timer,
   * between any two, and after the last.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`Expected \`ms\` to be a number from 0 up, got \`${ms}\` (${typeof ms})`);
    if (this.#advancing) throw new Error('The clock is being moved already: await that `advance` first');
    this.#advancing = true;
    try {
      await this.#advanceTo(this.#monotonicMs + ms);
    } finally {
      this.#advancing = false;
    }
  }

  /**
   * Sets the wall clock forward or back, as an administrator or NTP does: no timer fires, and `monotonic()` does not
   * change.
   */
  jump(ms: number): void {
    this.#epochMs += ms;
  }

  async #advanceTo(endMs: number): Promise<void> {
    await this.#settle();
    let firings = 0;
    for (let next = this.#timers[0]; next !== undefined && next.atMs <= endMs; next = this.#timers[0]) {
      firings = next.atMs === this.#monotonicMs ? firings + 1 : 1;
      if (firings > FIRINGS_AT_ONE_INSTANT_MAX)
        throw new Error(`timers at ${next.atMs} ms set themselves again for ever`);
      this.#timers.shift();
      this.#monotonicMs = next.atMs;
      next.callback();
      await this.#settle();
    }
    this.#monotonicMs = endMs;
  }

  /** The position of a timer in the queue, or where it would be: a binary search by time and order. */
  #position(timer: Timer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle];
      if (other !== undefined && isSooner(other, timer)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isSooner(one: Timer, other: Timer): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
