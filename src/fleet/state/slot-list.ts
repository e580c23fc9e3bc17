const SLOTS_FIRST = 4;

/**
 * Slots in an order in which any of them moves to the end in constant time. The links are numbers in one array, so that a move
 * allocates nothing and touches few lines of a cache.
 */
export class SlotList {
  /** Two numbers a place: the place before, the place after. Place 0 closes the ring; a slot's place is one more than the slot. */
  #links = new Int32Array((SLOTS_FIRST + 1) * 2);

  get first(): number | undefined {
    const place = this.#after(0);
    return place === 0 ? undefined : place - 1;
  }

  /** Puts the slot last, whether it was in the list or not. */
  toEnd(slot: number): void {
    const place = slot + 1;
    if ((place + 1) * 2 > this.#links.length) this.#grow(place);
    const last = this.#before(0);
    if (last === place) return;
    this.remove(slot);
    this.#join(last, place);
    this.#join(place, 0);
  }

  /** Does nothing if it is not there. */
  remove(slot: number): void {
    const place = slot + 1;
    if (!this.#has(place)) return;
    this.#join(this.#before(place), this.#after(place));
    this.#links[place * 2] = 0;
    this.#links[place * 2 + 1] = 0;
  }

  *[Symbol.iterator](): Generator<number, undefined> {
    for (let place = this.#after(0); place !== 0; place = this.#after(place)) yield place - 1;
  }

  /** A place alone in the list has the ring's own on both sides, as one that is not in it. */
  #has(place: number): boolean {
    return this.#before(place) !== 0 || this.#after(place) !== 0 || this.#after(0) === place;
  }

  #before(place: number): number {
    return this.#links[place * 2] ?? 0;
  }

  #after(place: number): number {
    return this.#links[place * 2 + 1] ?? 0;
  }

  #join(place: number, next: number): void {
    this.#links[place * 2 + 1] = next;
    this.#links[next * 2] = place;
  }

  #grow(place: number): void {
    const links = new Int32Array(Math.max((place + 1) * 2, this.#links.length * 2));
    links.set(this.#links);
    this.#links = links;
  }
}
