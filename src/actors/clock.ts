/** Time as a port: production reads the machine's clock, tests move a clock of their own. */
export interface Clock {
  /** Milliseconds since the epoch. May jump: for tables and people. */
  now(): number;
  /** Milliseconds on a clock that never goes back: for deadlines and intervals. */
  monotonic(): number;
  /** Calls back once after `delayMs`. The function returned cancels it; cancelling twice does nothing. */
  timer(delayMs: number, callback: () => void): CancelTimer;
  /** Calls back once what is at hand has been dealt with: after the callbacks of this round of the event loop. */
  soon(callback: () => void): void;
}

export type CancelTimer = () => void;

/**
 * How long until `periodMs` next divides the time, at least half a period. Periodic work that may run at any moment of
 * its period waits so long, and then runs together with all other work of that period: one wake-up serves them all.
 */
export function msToNext(nowMs: number, periodMs: number): number {
  const leftMs = periodMs - (nowMs % periodMs);
  // A timer may fire a moment early, just before its time.
  return leftMs < periodMs / 2 ? leftMs + periodMs : leftMs;
}

/** Node's timers take at most 2^31 - 1 milliseconds. Given more, they fire at once. */
const NODE_TIMER_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, callback) {
    if (delayMs > NODE_TIMER_MS_MAX) return longTimer(delayMs, callback);
    const handle = setTimeout(callback, delayMs);
    return () => clearTimeout(handle);
  },
  soon(callback) {
    setImmediate(callback);
  },
};

function longTimer(delayMs: number, callback: () => void): CancelTimer {
  let cancel = systemClock.timer(NODE_TIMER_MS_MAX, () => {
    cancel = systemClock.timer(delayMs - NODE_TIMER_MS_MAX, callback);
  });
  return () => cancel();
}
