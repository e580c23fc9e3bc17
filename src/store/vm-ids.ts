/** Ids that may be given out without waiting for the disk, however small the pool is. */
const RESERVE_MIN = 64;

/**
 * Gives out ids of VMs, each once in the life of a data directory. The durable counter runs ahead of those given out by a block, so that
 * one write serves many ids; a crash skips what was left of the block.
 */
export class VmIds {
  #next: number;
  /** Ids below it will not be given again after a crash. */
  #durableBelow: number;

  constructor(counter: number) {
    this.#next = counter;
    this.#durableBelow = counter;
  }

  /** The first id that was not given out. */
  get next(): number {
    return this.#next;
  }

  /** Undefined if the next one is not durable yet. */
  take(): number | undefined {
    return this.#next < this.#durableBelow ? this.#next++ : undefined;
  }

  /** That id is in use, whoever gave it. */
  skipPast(id: number): void {
    this.#next = Math.max(this.#next, id + 1);
  }

  /** Whether the next block is to be written. A VM needs an address, so more ids than addresses are not asked for in one go. */
  isLow(addressCount: number): boolean {
    return this.#durableBelow - this.#next < reserveOf(addressCount);
  }

  /** What the counter should be when it is written next. */
  counterToWrite(counter: number, addressCount: number): number {
    const reserve = reserveOf(addressCount);
    return counter - this.#next < reserve ? this.#next + 2 * reserve : counter;
  }

  wasWritten(counter: number): void {
    this.#durableBelow = counter;
  }
}

function reserveOf(addressCount: number): number {
  return Math.max(RESERVE_MIN, addressCount);
}
