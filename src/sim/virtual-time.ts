import type { CancelTimer } from '../actors/mod.ts';

interface Entry {
  readonly atMs: number;
  /** Entries of the same moment run in the order of their making. */
  readonly order: number;
  /** Undefined once it was cancelled or has run. */
  callback: (() => void) | undefined;
}

/** After so many entries, Node runs its own I/O once, so that a signal can end a long simulation. */
const ENTRIES_BEFORE_IO = 20_000;
/** Cancelled entries stay in the heap until they are as many as the others, and at least so many. */
const CANCELLED_MIN = 1_000;
/** More entries than this at one moment are an endless loop: something that sets itself again with no delay. */
const ENTRIES_AT_ONE_MOMENT_MAX = 5_000_000;

/**
 * The time of a simulated world. It stands still while anything is ready to run, and then moves to the next entry of a binary heap. All
 * promises settle between two entries, without a turn of Node's event loop.
 */
export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  #live = 0;
  readonly #heap: Entry[] = [];
  #failure: { readonly error: unknown } | undefined;

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Entries that wait for their time. */
  get pending(): number {
    return this.#live;
  }

  /** Entries in memory, those that were cancelled too. */
  get kept(): number {
    return this.#heap.length;
  }

  /** Calls back once after `delayMs`. The function returned cancels it. */
  after(delayMs: number, callback: () => void): CancelTimer {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#live += 1;
    this.#push(entry);
    return () => {
      if (entry.callback === undefined) return;
      entry.callback = undefined;
      this.#live -= 1;
      if (this.#heap.length > CANCELLED_MIN + 2 * this.#live) this.#dropCancelled();
    };
  }

  /** Ends the run with this error, once the present entry has returned. The first error counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /**
   * Runs entries until `endMs`, or until `isOver` says so.
   * @param isOver asked after each entry, when everything has settled
   * @throws what an entry threw, or `fail` was called with
   */
  run(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let entries = 0;
      let atThisMoment = 0;
      const step = (): void => {
        try {
          if (this.#failure !== undefined) throw this.#failure.error;
          if (isOver()) return resolve();
          const entry = this.#next(endMs);
          if (entry === undefined) {
            this.#nowMs = Math.max(this.#nowMs, endMs);
            return resolve();
          }
          atThisMoment = entry.atMs === this.#nowMs ? atThisMoment + 1 : 0;
          if (atThisMoment > ENTRIES_AT_ONE_MOMENT_MAX) throw new Error(`the world stands still at ${this.#nowMs} ms`);
          this.#nowMs = entry.atMs;
          const { callback } = entry;
          entry.callback = undefined;
          this.#live -= 1;
          callback?.();
        } catch (error) {
          return reject(error);
        }
        entries += 1;
        if (entries % ENTRIES_BEFORE_IO === 0) setImmediate(step);
        else queueMicrotask(onceSettled);
      };
      // Node runs its ticks once no microtask is left, however many those that run make.
      const onceSettled = (): void => process.nextTick(step);
      queueMicrotask(onceSettled);
    });
  }

  /** The next entry that was not cancelled, up to `endMs`; it leaves the heap. */
  #next(endMs: number): Entry | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (top.callback !== undefined && top.atMs > endMs) return undefined;
      this.#pop();
      if (top.callback !== undefined) return top;
    }
    return undefined;
  }

  /** What is in order is a heap too. */
  #dropCancelled(): void {
    const live = this.#heap.filter(({ callback }) => callback !== undefined);
    this.#heap.length = 0;
    for (const entry of live.sort(byTime)) this.#heap.push(entry);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above];
      if (other === undefined || isSooner(other, entry)) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const one = heap[left];
      if (one === undefined) break;
      const other = heap[left + 1];
      const isOther = other !== undefined && isSooner(other, one);
      const below = isOther ? other : one;
      if (isSooner(last, below)) break;
      heap[at] = below;
      at = isOther ? left + 1 : left;
    }
    heap[at] = last;
  }
}

function isSooner(one: Entry, other: Entry): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}

function byTime(one: Entry, other: Entry): number {
  return isSooner(one, other) ? -1 : 1;
}
