import { exponentialDelayMs } from '../actors/mod.ts';

/** A thread that lived so long did not fail because of its start. */
export const LIFE_MS_MIN = 10_000;

const DELAY = { firstMs: 250, maxMs: 30_000 };

/**
 * How long a shard stays down after so many short lives in a row. The first restart comes at once: one failure may be
 * chance.
 */
export function restartDelayMs(shortLives: number): number {
  return exponentialDelayMs(DELAY, shortLives - 2);
}
