import { MailRing } from './mail-ring.ts';

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

/** Stands where no message does, because `undefined` is a message like any other. */
const NONE = Symbol('no message');

/**
 * A queue. Most actors have one message at a time, which stands in the mailbox itself: each object more that a message
 * touches is one more to wait for among many actors. The others stand in a ring, which it has only while it needs one.
 */
export class Mailbox<M> {
  /** The message that has waited longest, if it found the mailbox empty or was put back. */
  #first: M | typeof NONE = NONE;
  #firstSender: Sender | undefined;
  #length = 0;
  #lastSender: Sender | undefined;
  /** All other messages. */
  #ring: MailRing | undefined;

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
      this.#ring ??= MailRing.lent();
      this.#ring.push(message, sender);
    }
    this.#length += 1;
  }

  /** Puts a message before all others. */
  unshift(message: M, sender?: Sender): void {
    if (this.#first !== NONE) {
      this.#ring ??= MailRing.lent();
      this.#ring.unshift(this.#first, this.#firstSender);
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
    const ring = this.#ring;
    if (this.#length === 0 || ring === undefined) return undefined;
    const { firstSender } = ring;
    // Writing a reference costs more than comparing it.
    if (firstSender !== this.#lastSender) this.#lastSender = firstSender;
    // The ring has only what was pushed and put back here.
    const message = ring.shift() as M;
    this.#length -= 1;
    if (this.#length === 0 && ring.isGivenBack()) this.#ring = undefined;
    return message;
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
}
