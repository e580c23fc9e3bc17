/** Time as a port: production reads the machine's, tests and the simulation move theirs by hand. */
export interface Clock {
  /** Milliseconds since the epoch. May jump; for tables and people. */
  now(): number;
  /** Milliseconds on a clock that never goes back. For deadlines and intervals. */
  monotonic(): number;
  /** Calls back once after `delayMs`; the function returned cancels, and cancelling twice does nothing. */
  timer(delayMs: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;

/**
 * Milliseconds until a clock that shows `nowMs` shows a multiple of `periodMs`, and half a period at least: who looks at something each so often, and
 * need not do so at a certain moment, does it together with all others.
 */
export function msToNext(nowMs: number, periodMs: number): number {
  const leftMs = periodMs - (nowMs % periodMs);
  // A timer may come a moment early, and its moment be still ahead.
  return leftMs < periodMs / 2 ? leftMs + periodMs : leftMs;
}

/** Node's timers take at most 2^31 - 1 milliseconds, and fire at once when given more. */
const NODE_TIMER_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, callback) {
    if (delayMs > NODE_TIMER_MS_MAX) return longTimer(delayMs, callback);
    const handle = setTimeout(callback, delayMs);
    return () => clearTimeout(handle);
  },
};

function longTimer(delayMs: number, callback: () => void): CancelTimer {
  let cancel = systemClock.timer(NODE_TIMER_MS_MAX, () => {
    cancel = systemClock.timer(delayMs - NODE_TIMER_MS_MAX, callback);
  });
  return () => cancel();
}
