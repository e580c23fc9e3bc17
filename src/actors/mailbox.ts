/** What happens to a message that finds a mailbox at its limit. What is dropped becomes a dead letter. */
export type Overflow =
  /** It is refused. */
  | 'fail'
  /** It takes the place of the one that has waited longest. */
  | 'drop-oldest'
  /** It is dropped. */
  | 'drop-newest'
  /**
   * It is taken, and the actor that sent it takes no next message until the mailbox is half empty. Refused: what comes from no
   * actor's turn, from an actor that could then wait for itself, and what finds twice the capacity waiting.
   */
  | 'backpressure';

/** Who sends: an actor whose turn it is. */
export interface Sender {
  readonly path: string;
}

export interface Letter<M> {
  readonly message: M;
  readonly sender: Sender | undefined;
}

const INITIAL_MESSAGES = 4;
/** A ring of so many messages is given back when it has run empty so often since it grew: one burst is not paid for ever after. */
const LARGE_MESSAGES = 1024;
const EMPTY_TIMES = 8;
/** A message and its sender stand side by side: one array, so that an actor with mail costs one allocation. */
const SLOTS_A_MESSAGE = 2;

/** A queue in a ring that grows by doubling; a mailbox that was never used holds no memory. */
export class Mailbox<M> {
  #slots: unknown[] | undefined;
  #head = 0;
  #length = 0;
  #emptyTimes = 0;
  #lastSender: Sender | undefined;

  get length(): number {
    return this.#length;
  }

  /** Who sent the message that was shifted last. */
  get lastSender(): Sender | undefined {
    return this.#lastSender;
  }

  push(message: M, sender?: Sender): void {
    const slots = this.#withRoom();
    const at = (this.#head + this.#length * SLOTS_A_MESSAGE) & (slots.length - 1);
    slots[at] = message;
    slots[at + 1] = sender;
    this.#length += 1;
  }

  /** Puts a message before all others. */
  unshift(message: M, sender?: Sender): void {
    const slots = this.#withRoom();
    const at = (this.#head - SLOTS_A_MESSAGE) & (slots.length - 1);
    slots[at] = message;
    slots[at + 1] = sender;
    this.#head = at;
    this.#length += 1;
  }

  shift(): M | undefined {
    const slots = this.#slots;
    if (slots === undefined || this.#length === 0) return undefined;
    const at = this.#head;
    const message = slots[at];
    // `push` and `unshift` put a sender into each second slot.
    this.#lastSender = slots[at + 1] as Sender | undefined;
    slots[at] = undefined;
    slots[at + 1] = undefined;
    this.#head = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && slots.length >= LARGE_MESSAGES * SLOTS_A_MESSAGE) this.#ranEmpty();
    // And a message into each first one.
    return message as M;
  }

  #ranEmpty(): void {
    this.#emptyTimes += 1;
    if (this.#emptyTimes === EMPTY_TIMES) this.#slots = undefined;
  }

  /** Takes out the message that has waited longest, as no message in hand. The caller has seen that there is one. */
  drop(): Letter<M> {
    const inHand = this.#lastSender;
    // `undefined` may be a message like any other.
    const message = this.shift() as M;
    const sender = this.#lastSender;
    this.#lastSender = inHand;
    return { message, sender };
  }

  #withRoom(): unknown[] {
    const slots = this.#slots;
    if (slots === undefined) {
      this.#head = 0;
      this.#slots = new Array(INITIAL_MESSAGES * SLOTS_A_MESSAGE).fill(undefined);
      return this.#slots;
    }
    return this.#length * SLOTS_A_MESSAGE === slots.length ? this.#grow(slots) : slots;
  }

  #grow(slots: unknown[]): unknown[] {
    const grown: unknown[] = new Array(slots.length * 2).fill(undefined);
    for (let slot = 0; slot < slots.length; slot++) grown[slot] = slots[(this.#head + slot) & (slots.length - 1)];
    this.#head = 0;
    this.#slots = grown;
    this.#emptyTimes = 0;
    return grown;
  }
}
