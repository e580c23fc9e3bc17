import type { Sender } from './mailbox.ts';

const INITIAL_MESSAGES = 4;
/**
 * Rings of up to so many messages go to the next mailbox once they have run empty, and so many of them are kept for it. Each actor that
 * ever had two messages at a time would keep one otherwise.
 */
const SMALL_MESSAGES = 8;
const UNUSED_MAX = 16;
/**
 * A ring for so many messages or more is freed once it has run empty `EMPTY_TIMES` times since it grew, so that one
 * burst does not keep memory.
 */
const LARGE_MESSAGES = 1024;
const EMPTY_TIMES = 8;
/** Each message stands beside its sender in one array. */
const SLOTS_A_MESSAGE = 2;

/** The small rings of all mailboxes of this thread that are in no use. */
const unused: MailRing[] = [];

/** Messages with their senders, in a ring that grows by doubling. */
export class MailRing {
  #slots: unknown[] = new Array(INITIAL_MESSAGES * SLOTS_A_MESSAGE).fill(undefined);
  #head = 0;
  #tail = 0;
  #emptyTimes = 0;

  static lent(): MailRing {
    return unused.pop() ?? new MailRing();
  }

  /** That of the message which `shift` returns next. */
  get firstSender(): Sender | undefined {
    // `push` and `unshift` have put a sender into each second slot.
    return this.#slots[this.#head + 1] as Sender | undefined;
  }

  push(message: unknown, sender: Sender | undefined): void {
    const slots = this.#slots;
    const at = this.#tail;
    slots[at] = message;
    if (sender !== undefined) slots[at + 1] = sender;
    this.#tail = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
    if (this.#tail === this.#head) this.#grow(slots);
  }

  /** Puts a message before all others. */
  unshift(message: unknown, sender: Sender | undefined): void {
    const slots = this.#slots;
    const at = (this.#head - SLOTS_A_MESSAGE) & (slots.length - 1);
    slots[at] = message;
    slots[at + 1] = sender;
    this.#head = at;
    if (this.#tail === at) this.#grow(slots);
  }

  /** The caller has checked that there is a message. */
  shift(): unknown {
    const slots = this.#slots;
    const at = this.#head;
    const message = slots[at];
    // Writing a reference costs more than comparing it.
    slots[at] = undefined;
    if (slots[at + 1] !== undefined) slots[at + 1] = undefined;
    this.#head = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
    return message;
  }

  /** It has run empty. @returns whether its mailbox is to forget it */
  isGivenBack(): boolean {
    const messages = this.#slots.length / SLOTS_A_MESSAGE;
    if (messages <= SMALL_MESSAGES) {
      if (unused.length < UNUSED_MAX) unused.push(this);
      return true;
    }
    if (messages < LARGE_MESSAGES) return false;
    this.#emptyTimes += 1;
    return this.#emptyTimes === EMPTY_TIMES;
  }

  /** All slots are in use. */
  #grow(slots: unknown[]): void {
    const grown: unknown[] = new Array(slots.length * 2).fill(undefined);
    for (let slot = 0; slot < slots.length; slot++) grown[slot] = slots[(this.#head + slot) & (slots.length - 1)];
    this.#head = 0;
    this.#tail = slots.length;
    this.#slots = grown;
    this.#emptyTimes = 0;
  }
}
