export interface ExponentialDelay {
  /** The first delay. */
  readonly firstMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
  /** How many times longer than the one before each delay is; default 2. */
  readonly factor?: number | undefined;
}

const FACTOR_DEFAULT = 2;

/**
 * Exponential back-off: how long to wait after `failures` failures, where 0 gives the first delay.
 * Whoever retries at once before the delays begin passes a negative number, which gives 0.
 */
export function exponentialDelayMs(
  { firstMs, maxMs, factor = FACTOR_DEFAULT }: ExponentialDelay,
  failures: number,
): number {
  // The power of a large count is infinite, and infinity times 0 is no number.
  if (failures < 0 || firstMs === 0) return 0;
  return Math.min(maxMs, firstMs * factor ** failures);
}
