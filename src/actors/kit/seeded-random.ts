import type { Random } from '../random.ts';

const STEP = 0x6d2b79f5;
const RANGE = 2 ** 32;

/** Numbers from 0 up to but not including 1, the same for the same seed: Mulberry32, by Tommy Ettinger. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + STEP) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / RANGE;
  };
}

/** The chance of a system, the same for the same seed. */
export function seededChance(seed: number): Random {
  const fraction = seededRandom(seed);
  return {
    fraction,
    bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(fraction() * 256)),
  };
}
