/** A thread that lived so long has not failed because of how it was started. */
export const LIFE_MS_MIN = 10_000;

const FIRST_MS = 250;
const MAX_MS = 30_000;

/** How long a shard stays empty after so many short lives in a row: one alone may be anything, more are no accident. */
export function restartDelayMs(shortLives: number): number {
  return shortLives <= 1 ? 0 : Math.min(MAX_MS, FIRST_MS * 2 ** (shortLives - 2));
}
