/**
 * A map that is small most of the time, and of which there are many: its first entry stands in the map itself, and
 * only others cost a `Map`. Entries keep the order in which they were added.
 */
export class SmallMap<K extends {}, V> {
  #key: K | undefined;
  #value: V | undefined;
  #others: Map<K, V> | undefined;

  get size(): number {
    return (this.#key === undefined ? 0 : 1) + (this.#others?.size ?? 0);
  }

  get(key: K): V | undefined {
    return key === this.#key ? this.#value : this.#others?.get(key);
  }

  has(key: K): boolean {
    return key === this.#key || this.#others?.has(key) === true;
  }

  set(key: K, value: V): void {
    if (key === this.#key || (this.#key === undefined && this.#others === undefined)) {
      this.#key = key;
      this.#value = value;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(key, value);
  }

  delete(key: K): void {
    if (key === this.#key) {
      this.#key = undefined;
      this.#value = undefined;
    } else if (this.#others?.delete(key) === true && this.#others.size === 0) {
      this.#others = undefined;
    }
  }

  clear(): void {
    this.#key = undefined;
    this.#value = undefined;
    this.#others = undefined;
  }

  *keys(): Generator<K> {
    if (this.#key !== undefined) yield this.#key;
    yield* this.#others?.keys() ?? [];
  }

  *values(): Generator<V> {
    // An entry with a key has a value, which may be `undefined` like any other.
    if (this.#key !== undefined) yield this.#value as V;
    yield* this.#others?.values() ?? [];
  }
}
