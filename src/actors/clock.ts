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

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return () => clearTimeout(handle);
  },
};
