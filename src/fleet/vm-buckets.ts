import { insertSorted, removeSorted } from './sorted.ts';
import type { VmId } from './vm.ts';

const NONE: readonly number[] = [];

/** VMs by how many requests they have in flight: the choice of R2 and R4 without a search. */
export class VmBuckets {
  /**
   * Ids grow with age and are kept negated, so that the oldest VM stands last: it is the one that R2 takes and puts back, and an array is
   * cheap to change at its end.
   */
  readonly #buckets: number[][] = [];
  #size = 0;
  /** No VM has more in flight. */
  #top = 0;
  /** No VM has fewer in flight. */
  #bottom = 0;

  get size(): number {
    return this.#size;
  }

  add(vm: VmId, inFlight: number): void {
    if (!insertSorted(this.#bucket(inFlight), -vm)) return;
    this.#size += 1;
    if (this.#size === 1 || inFlight > this.#top) this.#top = inFlight;
    if (this.#size === 1 || inFlight < this.#bottom) this.#bottom = inFlight;
  }

  remove(vm: VmId, inFlight: number): void {
    if (removeSorted(this.#bucket(inFlight), -vm)) this.#size -= 1;
  }

  /** The oldest VM of those with the most in flight. */
  fullest(): VmId | undefined {
    if (this.#size === 0) return undefined;
    while (this.#at(this.#top).length === 0) this.#top -= 1;
    return oldest(this.#at(this.#top));
  }

  /** The oldest VM of those with the fewest in flight. */
  emptiest(): VmId | undefined {
    return oldest(this.#lowest());
  }

  /** All VMs with the fewest in flight, youngest first. */
  *allEmptiest(): Generator<VmId> {
    for (const negated of this.#lowest()) yield -negated;
  }

  clear(): void {
    this.#buckets.length = 0;
    this.#size = 0;
  }

  #lowest(): readonly number[] {
    if (this.#size === 0) return NONE;
    while (this.#at(this.#bottom).length === 0) this.#bottom += 1;
    return this.#at(this.#bottom);
  }

  #at(inFlight: number): readonly number[] {
    return this.#buckets[inFlight] ?? NONE;
  }

  #bucket(inFlight: number): number[] {
    for (let length = this.#buckets.length; length <= inFlight; length++) this.#buckets.push([]);
    const bucket = this.#buckets[inFlight];
    if (bucket === undefined) throw new RangeError(`no bucket for ${inFlight} in flight`);
    return bucket;
  }
}

function oldest(bucket: readonly number[]): VmId | undefined {
  const negated = bucket.at(-1);
  return negated === undefined ? undefined : -negated;
}
