const INITIAL_SLOTS = 64;

/** A queue in a ring that grows by doubling. */
export class Ring<T extends object> {
  #slots: (T | undefined)[] = new Array(INITIAL_SLOTS).fill(undefined);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    const slots = this.#slots;
    slots[(this.#head + this.#length) & (slots.length - 1)] = item;
    this.#length += 1;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const slots = this.#slots;
    const item = slots[this.#head];
    slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (slots.length - 1);
    this.#length -= 1;
    return item;
  }

  #grow(): void {
    const slots = this.#slots;
    const grown: (T | undefined)[] = new Array(slots.length * 2).fill(undefined);
    for (let slot = 0; slot < slots.length; slot++) grown[slot] = slots[(this.#head + slot) & (slots.length - 1)];
    this.#head = 0;
    this.#slots = grown;
  }
}
