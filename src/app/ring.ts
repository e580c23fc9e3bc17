/** The latest items, up to a number. Adding one costs the same however many there are. */
export class Ring<T> {
  readonly #most: number;
  readonly #items: T[] = [];
  /** Where the oldest is, once all places are taken. */
  #first = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#items.length;
  }

  get oldest(): T | undefined {
    return this.#items[this.#first];
  }

  add(item: T): void {
    if (this.#items.length < this.#most) this.#items.push(item);
    else {
      this.#items[this.#first] = item;
      this.#first = (this.#first + 1) % this.#most;
    }
  }

  /** Oldest first. */
  all(): readonly T[] {
    return [...this.#items.slice(this.#first), ...this.#items.slice(0, this.#first)];
  }
}
