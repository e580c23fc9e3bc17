import { randomInt } from 'node:crypto';
import { seededRandom } from '../../src/actors/kit/mod.ts';

/** `SHOAL_SEED=1234` repeats what was random; it stands in the names of the tests that use it. */
export const seed = Number(process.env['SHOAL_SEED'] ?? randomInt(2 ** 31));

/** Whole numbers from 0 up to, not including, `below`: the same ones for the same seed. */
export function randomFrom(start: number): (below: number) => number {
  const random = seededRandom(start);
  return (below) => Math.floor(random() * below);
}
