/** Ids that can be given without a wait for the disk, also with a small pool. */
const RESERVE_MIN = 64;

/**
 * Gives ids of VMs, each once in the life of a data directory. The durable counter is a block ahead of the ids given, so that one write
 * serves many ids. A crash skips the rest of the block.
 */
export class VmIds {
  #next: number;
  /** Ids below it are not given again after a crash. */
  #durableBelow: number;

  constructor(counter: number) {
    this.#next = counter;
    this.#durableBelow = counter;
  }

  /** The first id that was not given. */
  get next(): number {
    return this.#next;
  }

  /** Undefined if the next one is not durable yet. */
  take(): number | undefined {
    return this.#next < this.#durableBelow ? this.#next++ : undefined;
  }

  /** That id is in use. */
  skipPast(id: number): void {
    this.#next = Math.max(this.#next, id + 1);
  }

  /** Whether the next block must be written. Each VM needs an address, so no burst takes more ids than there are addresses. */
  isLow(addressCount: number): boolean {
    return this.#durableBelow - this.#next < reserveOf(addressCount);
  }

  /** The counter for the next write. */
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
