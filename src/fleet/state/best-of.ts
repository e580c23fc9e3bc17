/** A slot that was the best is replaced by a search among its siblings on each level: few of them cost least in all. */
const FAN_OUT_BITS = 2;
const FAN_OUT = 1 << FAN_OUT_BITS;
/** Numbers in a rank. */
const WIDTH_BITS = 2;
const NONE = -1;

/**
 * The best of many slots, found without a search: a tree in which each node knows the best of its 4 children. A change walks up only
 * as far as it makes a difference, which is at most ten levels for a million slots. Ranks lie side by side in one array: to compare
 * two slots touches no object.
 */
export class BestOf {
  /** By slot, 1 for those that take part. */
  #members = new Uint8Array(FAN_OUT);
  /** By slot, the four numbers of its rank. */
  #ranks = new Float64Array(FAN_OUT << WIDTH_BITS);
  /** From the leaves up: the best slot below each node. */
  #levels: Int32Array[] = [new Int32Array(1).fill(NONE)];

  get best(): number | undefined {
    const best = this.#levels.at(-1)?.[0];
    return best === undefined || best === NONE ? undefined : best;
  }

  /**
   * Gives the slot its rank, which makes it take part if it did not. The lowest rank is the best: the first number decides, among
   * equals the second, and so on. No two slots may have the same rank.
   */
  put(slot: number, first: number, second: number, third: number, last: number): void {
    while (slot >= this.#members.length) this.#grow();
    const ranks = this.#ranks;
    const at = slot << WIDTH_BITS;
    if (
      this.#members[slot] === 1 &&
      ranks[at] === first &&
      ranks[at + 1] === second &&
      ranks[at + 2] === third &&
      ranks[at + 3] === last
    ) {
      return;
    }
    this.#members[slot] = 1;
    ranks[at] = first;
    ranks[at + 1] = second;
    ranks[at + 2] = third;
    ranks[at + 3] = last;
    this.#update(slot);
  }

  remove(slot: number): void {
    if (this.#members[slot] !== 1) return;
    this.#members[slot] = 0;
    this.#update(slot);
  }

  #update(slot: number): void {
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

  #isBetter(a: number, b: number): boolean {
    const ranks = this.#ranks;
    const at = a << WIDTH_BITS;
    const other = b << WIDTH_BITS;
    // Not a loop: this is the innermost of what each request pays for.
    let x = ranks[at] ?? 0;
    let y = ranks[other] ?? 0;
    if (x === y) {
      x = ranks[at + 1] ?? 0;
      y = ranks[other + 1] ?? 0;
    }
    if (x === y) {
      x = ranks[at + 2] ?? 0;
      y = ranks[other + 2] ?? 0;
    }
    if (x === y) {
      x = ranks[at + 3] ?? 0;
      y = ranks[other + 3] ?? 0;
    }
    return x < y;
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
      // Nodes below name none that has left.
      if (slot !== NONE && (best === NONE || this.#isBetter(slot, best))) best = slot;
    }
    return best;
  }

  #grow(): void {
    const members = new Uint8Array(this.#members.length * 2);
    members.set(this.#members);
    this.#members = members;
    const ranks = new Float64Array(this.#ranks.length * 2);
    ranks.set(this.#ranks);
    this.#ranks = ranks;
    this.#levels = [];
    for (let nodes = members.length; nodes > 1; ) {
      nodes = Math.ceil(nodes / FAN_OUT);
      const bests = new Int32Array(nodes);
      this.#levels.push(bests);
      for (let node = 0; node < nodes; node++) bests[node] = this.#bestBelow(this.#levels.length - 1, node);
    }
  }
}
