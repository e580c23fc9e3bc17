import type { VmId } from './vm.ts';

/** Free VMs by how many requests they have in flight, oldest first in each bucket: R2's choice without a search. */
export class VmBuckets {
  readonly #buckets: VmId[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(vm: VmId, inFlight: number): void {
    const bucket = this.#bucket(inFlight);
    bucket.splice(lowerBound(bucket, vm), 0, vm);
    this.#size += 1;
  }

  remove(vm: VmId, inFlight: number): void {
    const bucket = this.#bucket(inFlight);
    const index = lowerBound(bucket, vm);
    if (bucket[index] !== vm) return;
    bucket.splice(index, 1);
    this.#size -= 1;
  }

  /** The oldest VM of those with the most in flight. Ids grow with age, so the lowest id is the oldest. */
  fullest(): VmId | undefined {
    if (this.#size === 0) return undefined;
    for (let inFlight = this.#buckets.length - 1; inFlight >= 0; inFlight--) {
      const vm = this.#buckets[inFlight]?.[0];
      if (vm !== undefined) return vm;
    }
    return undefined;
  }

  clear(): void {
    this.#buckets.length = 0;
    this.#size = 0;
  }

  #bucket(inFlight: number): VmId[] {
    for (let length = this.#buckets.length; length <= inFlight; length++) this.#buckets.push([]);
    const bucket = this.#buckets[inFlight];
    if (bucket === undefined) throw new RangeError(`no bucket for ${inFlight} in flight`);
    return bucket;
  }
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && item < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
