import { isDeepStrictEqual } from 'node:util';

/**
 * Gives the last value again while those to come are equal to it: thousands that say the same take the memory of one. For values that
 * never change.
 */
export class KeptOnce<V> {
  #last: V | undefined;

  of(value: V): V {
    if (this.#last === undefined || !isDeepStrictEqual(value, this.#last)) this.#last = value;
    return this.#last;
  }
}
