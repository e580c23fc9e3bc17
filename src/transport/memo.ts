/** Longer keys are seen once: they hold something of one message only. */
const KEY_CHARS_MAX = 256;

/** Remembers what was found out about up to `entriesMax` keys; beyond that it forgets all and begins anew. */
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
