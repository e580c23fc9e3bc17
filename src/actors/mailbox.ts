/** What happens to a message that finds the mailbox full. Messages that are refused or dropped become dead letters. */
export type Overflow =
  /** It is refused. */
  | 'fail'
  /** It takes the place of the message that has waited longest. */
  | 'drop-oldest'
  /** It is dropped. */
  | 'drop-newest'
  /**
   * It is taken, and its sender takes no further message until the mailbox is half empty. It is refused if it was sent
   * outside of an actor's turn, if its sender would then wait for itself, or if twice the capacity waits already.
   */
  | 'backpressure';

/** The actor whose turn it was when the message was sent. */
export interface Sender {
  readonly path: string;
}

export interface Letter<M> {
  readonly message: M;
  readonly sender: Sender | undefined;
}

const INITIAL_MESSAGES = 4;
/**
 * A ring for so many messages or more is freed once it has run empty `EMPTY_TIMES` times since it grew, so that one
 * burst does not keep memory.
 */
const LARGE_MESSAGES = 1024;
const EMPTY_TIMES = 8;
/** Each message stands beside its sender in one array, so that an actor's first mail costs one allocation. */
const SLOTS_A_MESSAGE = 2;

/** A queue in a ring that grows by doubling. A mailbox that was never used holds no memory. */
export class Mailbox<M> {
  #slots: unknown[] | undefined;
  #head = 0;
  #length = 0;
  #emptyTimes = 0;
  #lastSender: Sender | undefined;

  get length(): number {
    return this.#length;
  }

  /** The sender of the message that was shifted last. */
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

  /** An offer begins to wait for room. Whoever counts what waits in a mailbox counts it too. */
  beginOffer(): void {}

  /** The offer waits no longer: in the same turn its message is pushed, or is a dead letter. */
  endOffer(): void {}

  shift(): M | undefined {
    const slots = this.#slots;
    if (slots === undefined || this.#length === 0) return undefined;
    const at = this.#head;
    const message = slots[at];
    // `push` and `unshift` have put a sender into each second slot.
    this.#lastSender = slots[at + 1] as Sender | undefined;
    slots[at] = undefined;
    slots[at + 1] = undefined;
    this.#head = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && slots.length >= LARGE_MESSAGES * SLOTS_A_MESSAGE) this.#ranEmpty();
    // And a message into each slot before it.
    return message as M;
  }

  #ranEmpty(): void {
    this.#emptyTimes += 1;
    if (this.#emptyTimes === EMPTY_TIMES) this.#slots = undefined;
  }

  /**
   * Takes out the message that has waited longest, which does not become the message in hand. The caller has checked
   * that there is one.
   */
  drop(): Letter<M> {
    const inHand = this.#lastSender;
    // There is a message, so `undefined` would be one like any other.
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
