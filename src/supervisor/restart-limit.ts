/** More than `intensity` restarts within `periodMs` and the supervisor gives up. */
export interface RestartLimit {
  /** May be Infinity where a back-off sets the pace. */
  readonly intensity: number;
  readonly periodMs: number;
}

/** When restarts were called for, oldest first, on the monotonic clock; never longer than intensity + 1. */
export type RestartHistory = readonly number[];

/** The restart that is called for now, together with those of the period. */
export function withRestart(limit: RestartLimit, history: RestartHistory, nowMs: number): RestartHistory {
  // What has no limit need not be counted.
  if (limit.intensity === Number.POSITIVE_INFINITY) return history;
  return [...history.filter((at) => nowMs - at <= limit.periodMs), nowMs];
}
