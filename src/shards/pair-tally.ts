import { receivedOf, type Tally } from './tally.ts';

/** What a channel counts at the end of a shard. */
export interface ChannelTally {
  addTold(): void;
  takeTold(): void;
  beginReceived(): void;
  addReceived(): void;
  addPushed(): void;
  addShifted(): void;
}

/** One of the two shards of a pair. */
export type Side = 0 | 1;

/** For each side: messages sent, twice the messages that came (as in `Tally`), and `pushed` before the one that comes now. */
const FIELDS = 3;
const TOLD = 0;
const ARRIVED = 1;
const BEFORE = 2;

/** The memory of the counts of a pair of shards, which outlives both threads. */
export function pairBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * FIELDS * Float64Array.BYTES_PER_ELEMENT);
}

/** What one shard has sent to another one, and received from it. Only that shard writes; the main thread reads. */
export class PairTally implements ChannelTally {
  readonly #counts: Float64Array;
  readonly #own: Tally;

  /** @param own of the shard on this side: it counts the mailboxes */
  constructor(buffer: SharedArrayBuffer, side: Side, own: Tally) {
    const bytes = FIELDS * Float64Array.BYTES_PER_ELEMENT;
    this.#counts = new Float64Array(buffer, side * bytes, FIELDS);
    this.#own = own;
  }

  get told(): number {
    return this.#counts[TOLD] ?? 0;
  }

  /** Messages that were put into a mailbox, or refused. Right wherever the thread was ended. */
  get received(): number {
    const { [ARRIVED]: arrived = 0, [BEFORE]: before = 0 } = this.#counts;
    return receivedOf(arrived, this.#own.pushed > before);
  }

  addTold(): void {
    this.#add(TOLD, 1);
  }

  takeTold(): void {
    this.#add(TOLD, -1);
  }

  beginReceived(): void {
    this.#counts[BEFORE] = this.#own.pushed;
    this.#add(ARRIVED, 1);
  }

  addReceived(): void {
    this.#add(ARRIVED, 1);
  }

  addPushed(): void {
    this.#own.addPushed();
  }

  addShifted(): void {
    this.#own.addShifted();
  }

  #add(field: number, count: number): void {
    this.#counts[field] = (this.#counts[field] ?? 0) + count;
  }
}
