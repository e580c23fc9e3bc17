import { randomInt } from 'node:crypto';
import { seededRandom } from '../../src/actors/kit/mod.ts';

/** `SHOAL_SEED=1234` repeats the random choices of a run. Names of tests show the seed. */
export const seed = Number(process.env['SHOAL_SEED'] ?? randomInt(2 ** 31));

/** Whole numbers from 0 up to, not including, `below`: the same ones for the same seed. */
export function randomFrom(start: number): (below: number) => number {
  const random = seededRandom(start);
  return (below) => Math.floor(random() * below);
}
