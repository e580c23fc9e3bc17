/** A slot that was the best is replaced by a search among its siblings on each level: few of them cost least in all. */
const FAN_OUT_BITS = 2;
const FAN_OUT = 1 << FAN_OUT_BITS;
const NONE = -1;

/**
 * The best of many slots, found without a search: a tree in which each node knows the best of its 4 children. A change walks up only
 * as far as it makes a difference, which is at most ten levels for a million slots.
 */
export class BestOf {
  readonly #isBetter: (a: number, b: number) => boolean;
  /** By slot, 1 for those that take part. */
  #members = new Uint8Array(FAN_OUT);
  /** From the leaves up: the best slot below each node. */
  #levels: Int32Array[] = [new Int32Array(1).fill(NONE)];

  /** @param isBetter a strict total order of slots; `update` must be called when it changes for a member */
  constructor(isBetter: (a: number, b: number) => boolean) {
    this.#isBetter = isBetter;
  }

  get best(): number | undefined {
    const best = this.#levels.at(-1)?.[0];
    return best === undefined || best === NONE ? undefined : best;
  }

  add(slot: number): void {
    while (slot >= this.#members.length) this.#grow();
    this.#members[slot] = 1;
    this.update(slot);
  }

  remove(slot: number): void {
    if (this.#members[slot] !== 1) return;
    this.#members[slot] = 0;
    this.update(slot);
  }

  /** The order of the slot may have changed. */
  update(slot: number): void {
    let node = slot;
    for (let level = 0; level < this.#levels.length; level++) {
      node >>= FAN_OUT_BITS;
      const bests = this.#levels[level];
      const best = bests?.[node] ?? NONE;
      // The slot was the best here and may have become worse, or it may have become the best.
      const next = best === slot ? this.#bestBelow(level, node) : this.#betterOf(slot, best);
      if (next === best && best !== slot) return;
      if (bests !== undefined) bests[node] = next;
    }
  }

  #betterOf(slot: number, best: number): number {
    if (this.#members[slot] !== 1) return best;
    return best === NONE || this.#isBetter(slot, best) ? slot : best;
  }

  #bestBelow(level: number, node: number): number {
    const first = node << FAN_OUT_BITS;
    let best = NONE;
    if (level === 0) {
      for (let slot = first; slot < first + FAN_OUT; slot++) best = this.#betterOf(slot, best);
      return best;
    }
    const below = this.#levels[level - 1];
    const end = Math.min(first + FAN_OUT, below?.length ?? 0);
    for (let child = first; child < end; child++) {
      const slot = below?.[child] ?? NONE;
      if (slot !== NONE) best = this.#betterOf(slot, best);
    }
    return best;
  }

  #grow(): void {
    const members = new Uint8Array(this.#members.length * 2);
    members.set(this.#members);
    this.#members = members;
    this.#levels = [];
    for (let nodes = members.length; nodes > 1; ) {
      nodes = Math.ceil(nodes / FAN_OUT);
      const bests = new Int32Array(nodes);
      this.#levels.push(bests);
      for (let node = 0; node < nodes; node++) bests[node] = this.#bestBelow(this.#levels.length - 1, node);
    }
  }
}
