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
/** Each message stands beside its sender in one array. */
const SLOTS_A_MESSAGE = 2;
/** Stands where no message does, because `undefined` is a message like any other. */
const NONE = Symbol('no message');

/**
 * A queue. Most actors have one message at a time, which stands in the mailbox itself: each object more that a message
 * touches is one more to wait for among many actors. The others stand in a ring that grows by doubling.
 */
export class Mailbox<M> {
  /** The message that has waited longest, if it found the mailbox empty or was put back. */
  #first: M | typeof NONE = NONE;
  #firstSender: Sender | undefined;
  #length = 0;
  #lastSender: Sender | undefined;
  /** The ring of all other messages. */
  #slots: unknown[] | undefined;
  #head = 0;
  #tail = 0;
  #emptyTimes = 0;

  get length(): number {
    return this.#length;
  }

  /** The sender of the message that was shifted last. */
  get lastSender(): Sender | undefined {
    return this.#lastSender;
  }

  push(message: M, sender?: Sender): void {
    if (this.#length === 0) {
      this.#first = message;
      this.#firstSender = sender;
    } else {
      const slots = this.#slots ?? this.#newSlots();
      const at = this.#tail;
      slots[at] = message;
      if (sender !== undefined) slots[at + 1] = sender;
      this.#tail = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
      if (this.#tail === this.#head) this.#grow(slots);
    }
    this.#length += 1;
  }

  /** Puts a message before all others. */
  unshift(message: M, sender?: Sender): void {
    if (this.#first !== NONE) {
      const slots = this.#slots ?? this.#newSlots();
      const at = (this.#head - SLOTS_A_MESSAGE) & (slots.length - 1);
      slots[at] = this.#first;
      slots[at + 1] = this.#firstSender;
      this.#head = at;
      if (this.#tail === at) this.#grow(slots);
    }
    this.#first = message;
    this.#firstSender = sender;
    this.#length += 1;
  }

  /** An offer begins to wait for room. Whoever counts what waits in a mailbox counts it too. */
  beginOffer(): void {}

  /** The offer waits no longer: in the same turn its message is pushed, or is a dead letter. */
  endOffer(): void {}

  shift(): M | undefined {
    const first = this.#first;
    if (first !== NONE) {
      this.#first = NONE;
      this.#lastSender = this.#firstSender;
      this.#firstSender = undefined;
      this.#length -= 1;
      return first;
    }
    if (this.#length === 0) return undefined;
    // The message is not the first, so there is a ring.
    const slots = this.#slots as unknown[];
    const at = this.#head;
    // `push` and `unshift` have put a sender into each second slot, and a message into each slot before it.
    const message = slots[at] as M;
    const sender = slots[at + 1] as Sender | undefined;
    // Writing a reference costs more than comparing it.
    slots[at] = undefined;
    if (sender !== undefined) slots[at + 1] = undefined;
    if (sender !== this.#lastSender) this.#lastSender = sender;
    this.#head = (at + SLOTS_A_MESSAGE) & (slots.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && slots.length >= LARGE_MESSAGES * SLOTS_A_MESSAGE) this.#ranEmpty();
    return message;
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

  #newSlots(): unknown[] {
    this.#head = 0;
    this.#tail = 0;
    this.#slots = new Array(INITIAL_MESSAGES * SLOTS_A_MESSAGE).fill(undefined);
    return this.#slots;
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

/** Handles the messages of an actor that is not running: there are none. */
export function noMail(): void {}
