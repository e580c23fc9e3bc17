/** A supervisor gives up after more than `intensity` restarts within `periodMs`. */
export interface RestartLimit {
  /** May be Infinity if there is a back-off. */
  readonly intensity: number;
  readonly periodMs: number;
}

export interface PastRestart {
  /** On the monotonic clock. */
  readonly atMs: number;
  /** The loss that made it necessary, such as that of a thread, if there was one. */
  readonly lossId?: string;
}

/** Restarts, oldest first; at most intensity + 1. */
export type RestartHistory = readonly PastRestart[];

/** The restarts of the period, and another one. However many children one loss has ended, it counts once. */
export function withRestart(limit: RestartLimit, history: RestartHistory, restart: PastRestart): RestartHistory {
  // Without a limit there is nothing to count.
  if (limit.intensity === Number.POSITIVE_INFINITY) return history;
  const recent = history.filter(({ atMs }) => restart.atMs - atMs <= limit.periodMs);
  const { lossId } = restart;
  const isCounted = lossId !== undefined && recent.some((one) => one.lossId === lossId);
  return isCounted ? recent : [...recent, restart];
}
