import { Mailbox, type Sender } from '../actors/mod.ts';

const FIELDS = 7;
/** Twice the messages that have come, and one more while the next is put into a mailbox. */
const ARRIVED = 0;
const PUSHED = 1;
const SHIFTED = 2;
const TOLD = 3;
/** `pushed` before the message that is put into a mailbox now. */
const BEFORE = 4;
const LETTERS = 5;
const PLACED = 6;

/**
 * What a shard has done with messages, in memory that outlives its thread: from it the main thread knows how many were lost when the
 * thread ended, and whether one that is silent is at work. Only the shard writes.
 */
export class Tally {
  readonly buffer: SharedArrayBuffer;
  /** Floats count to 2^53. */
  readonly #counts: Float64Array;

  constructor(buffer = new SharedArrayBuffer(FIELDS * Float64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#counts = new Float64Array(buffer);
  }

  /** Messages that came over the channel and were put into a mailbox, or refused. Right wherever the thread was ended. */
  get received(): number {
    const [arrived = 0] = this.#counts;
    return receivedOf(arrived, this.pushed > (this.#counts[BEFORE] ?? 0));
  }

  /** Messages that were put into mailboxes of the shard, from wherever. */
  get pushed(): number {
    return this.#counts[PUSHED] ?? 0;
  }

  /** Messages that were taken out again, to be handled or as dead letters. */
  get shifted(): number {
    return this.#counts[SHIFTED] ?? 0;
  }

  /** Messages that actors of the shard have sent over the channel. */
  get told(): number {
    return this.#counts[TOLD] ?? 0;
  }

  /** Dead letters of the shard. */
  get letters(): number {
    return this.#counts[LETTERS] ?? 0;
  }

  /** Actors that the shard has begun to start. */
  get placed(): number {
    return this.#counts[PLACED] ?? 0;
  }

  /** A message has come and is about to be put into a mailbox. */
  beginReceived(): void {
    this.#counts[BEFORE] = this.pushed;
    this.#add(ARRIVED, 1);
  }

  /** It is there, or was refused. One write counts it and ends its arrival, so no end of the thread comes between the two. */
  addReceived(): void {
    this.#add(ARRIVED, 1);
  }

  addPushed(): void {
    this.#add(PUSHED, 1);
  }

  addShifted(): void {
    this.#add(SHIFTED, 1);
  }

  addTold(): void {
    this.#add(TOLD, 1);
  }

  /** A message that was counted could not be posted. */
  takeTold(): void {
    this.#add(TOLD, -1);
  }

  addPlaced(): void {
    this.#add(PLACED, 1);
  }

  addLetter(): void {
    this.#add(LETTERS, 1);
  }

  #add(field: number, count: number): void {
    this.#counts[field] = (this.#counts[field] ?? 0) + count;
  }
}

/**
 * Messages that have come and were put into a mailbox, or refused.
 * @param arrived twice their number, and one more while the next is put into a mailbox
 * @param isPushed whether it was put there
 */
export function receivedOf(arrived: number, isPushed: boolean): number {
  return Math.floor(arrived / 2) + (arrived % 2 === 1 && isPushed ? 1 : 0);
}

/** A mailbox of a shard, which counts. */
export class TalliedMailbox<M> extends Mailbox<M> {
  readonly #tally: Tally;

  constructor(tally: Tally) {
    super();
    this.#tally = tally;
  }

  override push(message: M, sender?: Sender): void {
    super.push(message, sender);
    this.#tally.addPushed();
  }

  override unshift(message: M, sender?: Sender): void {
    super.unshift(message, sender);
    this.#tally.addPushed();
  }

  /** It waits as in the mailbox. */
  override beginOffer(): void {
    this.#tally.addPushed();
  }

  override endOffer(): void {
    this.#tally.addShifted();
  }

  override shift(): M | undefined {
    const wasThere = this.length > 0;
    const message = super.shift();
    if (wasThere) this.#tally.addShifted();
    return message;
  }
}
