import { randomInt } from 'node:crypto';

/** `SHOAL_SEED=1234` repeats what was random; it stands in the names of the tests that use it. */
export const seed = Number(process.env['SHOAL_SEED'] ?? randomInt(2 ** 31));

/** Whole numbers from 0 up to, not including, `below`: the same ones for the same seed (mulberry32). */
export function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
