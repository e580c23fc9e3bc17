import { exponentialDelayMs } from '../../actors/mod.ts';

const DELAY = { firstMs: 250, maxMs: 30_000 };

/** How long to wait after so many failures in a row: nothing after the first, which may be an accident, then doubling up to 30 s. */
export function backOffMs(failures: number): number {
  return exponentialDelayMs(DELAY, failures - 2);
}
