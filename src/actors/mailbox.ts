/** What happens to a message that finds a mailbox at its limit. What is dropped becomes a dead letter. */
export type Overflow = 'fail' | 'drop-oldest' | 'drop-newest';

const INITIAL_SLOTS = 8;
/** A ring of so many slots is given back when it is empty, so that one burst is not paid for ever after. */
const LARGE_SLOTS = 1024;

/** A queue in a ring that grows by doubling; a mailbox that was never used holds no memory. */
export class Mailbox<M> {
  #slots: (M | undefined)[] | undefined;
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(message: M): void {
    let slots = this.#slots;
    if (slots === undefined) {
      slots = this.#slots = new Array(INITIAL_SLOTS).fill(undefined);
      this.#head = 0;
    }
    if (this.#length === slots.length) slots = this.#grow(slots);
    slots[(this.#head + this.#length) & (slots.length - 1)] = message;
    this.#length += 1;
  }

  shift(): M | undefined {
    const slots = this.#slots;
    if (slots === undefined || this.#length === 0) return undefined;
    const message = slots[this.#head];
    slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (slots.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && slots.length >= LARGE_SLOTS) this.#slots = undefined;
    return message;
  }

  #grow(slots: (M | undefined)[]): (M | undefined)[] {
    const grown: (M | undefined)[] = new Array(slots.length * 2).fill(undefined);
    for (let index = 0; index < this.#length; index++) {
      grown[index] = slots[(this.#head + index) & (slots.length - 1)];
    }
    this.#head = 0;
    this.#slots = grown;
    return grown;
  }
}
