/** Longer keys belong to a single message and never recur. */
const KEY_CHARS_MAX = 256;

/** A cache of up to `entriesMax` values; it is cleared when it is full. */
export class Memo<V> {
  readonly #entriesMax: number;
  readonly #values = new Map<string, V>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    if (key.length > KEY_CHARS_MAX) return;
    if (this.#values.size >= this.#entriesMax) this.#values.clear();
    this.#values.set(key, value);
  }
}
