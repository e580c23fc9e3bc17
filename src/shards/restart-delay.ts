import { exponentialDelayMs } from '../actors/mod.ts';

/** A thread that lived so long has not failed because of how it was started. */
export const LIFE_MS_MIN = 10_000;

const DELAY = { firstMs: 250, maxMs: 30_000 };

/** How long a shard stays empty after so many short lives in a row: one alone may be chance, the next ones are not. */
export function restartDelayMs(shortLives: number): number {
  return exponentialDelayMs(DELAY, shortLives - 2);
}
