/** More than `intensity` restarts within `periodMs` and the supervisor gives up. */
export interface RestartLimit {
  /** May be Infinity where a back-off sets the pace. */
  readonly intensity: number;
  readonly periodMs: number;
}

/** When restarts were called for, oldest first, on the monotonic clock; never longer than intensity + 1. */
export type RestartHistory = readonly number[];

/** Those of the period, and the one that is called for at `nowMs`. */
export function withRestart(limit: RestartLimit, history: RestartHistory, nowMs: number): RestartHistory {
  // What has no limit need not be counted.
  if (limit.intensity === Number.POSITIVE_INFINITY) return history;
  return [...history.filter((at) => nowMs - at <= limit.periodMs), nowMs];
}
