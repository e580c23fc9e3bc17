/** A supervisor gives up after more than `intensity` restarts within `periodMs`. */
export interface RestartLimit {
  /** May be Infinity if there is a back-off. */
  readonly intensity: number;
  readonly periodMs: number;
}

/** The times of restarts on the monotonic clock, oldest first; at most intensity + 1. */
export type RestartHistory = readonly number[];

/** The restarts of the period, and another one at `nowMs`. */
export function withRestart(limit: RestartLimit, history: RestartHistory, nowMs: number): RestartHistory {
  // Without a limit there is nothing to count.
  if (limit.intensity === Number.POSITIVE_INFINITY) return history;
  return [...history.filter((at) => nowMs - at <= limit.periodMs), nowMs];
}
