import type { Vm } from './vm.ts';

/**
 * Tells whether the oldest of a group is older than that, without a look at each: it keeps a moment before which none of them began, and counts
 * anew only once that moment no longer says no.
 */
export class Oldest {
  readonly #group: Iterable<Vm>;
  readonly #sinceMs: (vm: Vm) => number;
  #notBeforeMs = Number.POSITIVE_INFINITY;

  /** @param sinceMs since when a VM has been in the group; it may become later, and never earlier */
  constructor(group: Iterable<Vm>, sinceMs: (vm: Vm) => number) {
    this.#group = group;
    this.#sinceMs = sinceMs;
  }

  /** The VM has come into the group. */
  added(vm: Vm): void {
    this.#notBeforeMs = Math.min(this.#notBeforeMs, this.#sinceMs(vm));
  }

  /** Whether one of them began at that moment or earlier. */
  isFrom(ms: number): boolean {
    if (this.#notBeforeMs > ms) return false;
    this.#notBeforeMs = Number.POSITIVE_INFINITY;
    for (const vm of this.#group) this.added(vm);
    return this.#notBeforeMs <= ms;
  }
}
