import { seededRandom } from '../actors/kit/mod.ts';
import type { Random } from '../actors/mod.ts';

/** Chance, decided by a seed. */
export class Chance implements Random {
  readonly #next: () => number;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#next = seededRandom(seed);
  }

  /** From 0 up to but not including 1. */
  readonly fraction = (): number => this.#next();

  /** True with this probability. */
  happens(probability: number): boolean {
    return probability > 0 && this.#next() < probability;
  }

  /** A whole number from 0 up to but not including `count`. */
  below(count: number): number {
    return Math.floor(this.#next() * count);
  }

  oneOf<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  /** Milliseconds to the next of events that come `perSecond` times a second, independently of each other. */
  msToNext(perSecond: number): number {
    return perSecond > 0 ? (-Math.log(1 - this.#next()) / perSecond) * 1_000 : Number.POSITIVE_INFINITY;
  }

  /** From the standard normal distribution (Box and Muller, 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#next())) * Math.cos(2 * Math.PI * this.#next());
  }

  /** A stream of its own for one purpose: what another part draws does not change it. */
  stream(purpose: string): Chance {
    return new Chance(hashOf(`${this.#seed} ${purpose}`));
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
}
