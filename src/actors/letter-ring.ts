import type { Sender } from './sender.ts';

/** Each message stands beside its sender in one array. */
const SLOTS_A_MESSAGE = 2;
const INITIAL_SLOTS = 16 * SLOTS_A_MESSAGE;
/**
 * A ring for so many messages or more is freed once it has run empty `EMPTY_TIMES` times since it grew, so that one
 * burst does not keep memory.
 */
const LARGE_SLOTS = 1024 * SLOTS_A_MESSAGE;
const EMPTY_TIMES = 8;
/** So many rings are kept for the next bursts, of whichever mailbox. */
const UNUSED_MAX = 64;

/** Empty rings of the first size. Nothing is in them, so the messages of the next owner may be of any type. */
const unused: LetterRing<unknown>[] = [];

/** A ring for a mailbox that has none. */
export function takeRing<M>(): LetterRing<M> {
  return (unused.pop() as LetterRing<M> | undefined) ?? new LetterRing<M>();
}

/** @returns whether the mailbox, which has run empty, keeps its ring */
export function keepsWhenEmpty<M>(ring: LetterRing<M>): boolean {
  if (ring.isLarge) return ring.ranEmpty() < EMPTY_TIMES;
  if (!ring.isSmall) return true;
  // Whoever takes it next decides on the type of its messages.
  if (unused.length < UNUSED_MAX) unused.push(ring as LetterRing<unknown>);
  return false;
}

/** Messages and their senders, in a ring that grows by doubling. */
export class LetterRing<M> {
  #slots: unknown[] = new Array(INITIAL_SLOTS).fill(undefined);
  #head = 0;
  #tail = 0;
  #emptyTimes = 0;

  get isSmall(): boolean {
    return this.#slots.length === INITIAL_SLOTS;
  }

  get isLarge(): boolean {
    return this.#slots.length >= LARGE_SLOTS;
  }

  /** Of the message that has waited longest. */
  get sender(): Sender | undefined {
    // `push` and `unshift` have put a sender into each second slot.
    return this.#slots[this.#head + 1] as Sender | undefined;
  }

  push(message: M, sender: Sender | undefined): void {
    const slots = this.#slots;
    const at = this.#tail;
    slots[at] = message;
    if (sender !== undefined) slots[at + 1] = sender;
    this.#tail = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
    if (this.#tail === this.#head) this.#grow();
  }

  unshift(message: M, sender: Sender | undefined): void {
    const slots = this.#slots;
    const at = (this.#head - SLOTS_A_MESSAGE) & (slots.length - 1);
    slots[at] = message;
    slots[at + 1] = sender;
    this.#head = at;
    if (this.#tail === at) this.#grow();
  }

  /** Takes out the message that has waited longest. The caller knows that there is one. */
  shift(): M {
    const slots = this.#slots;
    const at = this.#head;
    // `push` and `unshift` have put a message into each first slot.
    const message = slots[at] as M;
    slots[at] = undefined;
    // Writing a reference costs more than comparing it.
    if (slots[at + 1] !== undefined) slots[at + 1] = undefined;
    this.#head = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
    return message;
  }

  /** @returns how often it has since it grew */
  ranEmpty(): number {
    this.#emptyTimes += 1;
    return this.#emptyTimes;
  }

  /** All slots are in use. */
  #grow(): void {
    const slots = this.#slots;
    const grown: unknown[] = new Array(slots.length * 2).fill(undefined);
    for (let slot = 0; slot < slots.length; slot++) grown[slot] = slots[(this.#head + slot) & (slots.length - 1)];
    this.#head = 0;
    this.#tail = slots.length;
    this.#slots = grown;
    this.#emptyTimes = 0;
  }
}
