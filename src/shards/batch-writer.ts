import type { MessagePort } from 'node:worker_threads';
import { Waiters } from '../refs/mod.ts';
import { type Batch, type Extras, type Item, itemAt, OP, type Op, PARTS } from './wire.ts';

/** Messages that may be under way without an acknowledgement from the other end before whoever can wait does. */
export const WINDOW = 8_192;
/** Messages that may be under way at all. Whoever cannot wait, as `tell` cannot, is refused then. */
export const WINDOW_MAX = 8 * WINDOW;
/** Items in a batch: more than one turn usually sends, and few enough not to keep the receiver busy for long. */
const BATCH_MAX = 512;

/** Collects everything that one turn sends through a port, and posts it at the end of the turn. */
export class BatchWriter {
  readonly #port: MessagePort;
  readonly #refused: (item: Item, error: unknown) => void;
  readonly #flush = (): void => this.flush();
  #batch: unknown[] = [];
  #isFlushDue = false;
  #closed = false;
  #isCut = false;
  #unacknowledged = 0;
  readonly #waiters = new Waiters();

  /** @param refused told of each message that could not be cloned; the others are posted */
  constructor(port: MessagePort, refused: (item: Item, error: unknown) => void) {
    this.#port = port;
    this.#refused = refused;
  }

  get hasRoom(): boolean {
    return this.#unacknowledged < WINDOW || this.#isCut;
  }

  get isFull(): boolean {
    return this.#unacknowledged >= WINDOW_MAX;
  }

  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** While there is none: calls back once there is room, or the writer is closed. @returns how to cancel it */
  onRoom(callback: () => void): () => void {
    return this.#waiters.add(callback);
  }

  message(to: number, message: unknown, extras: Extras | undefined, waits: boolean): void {
    this.#unacknowledged += 1;
    this.#add(to, message, extras, waits);
  }

  /**
   * Posts a message at once, after all that was sent before it, and gives the buffers in `moved` away with it.
   * @throws what the port throws
   */
  messageNow(item: Item, moved: readonly ArrayBuffer[]): void {
    this.flush();
    this.#port.postMessage(item, [...moved]);
    this.#unacknowledged += 1;
  }

  op(op: Op): void {
    this.#add(OP, op, undefined, false);
  }

  /** Like `op`, for one that stands for a message. */
  countedOp(op: Op): void {
    this.#unacknowledged += 1;
    this.op(op);
  }

  /** Posts an op at once, after all that was sent before it, and gives away what is in `moved`. @throws what the port throws */
  opNow(op: Op, moved: readonly (ArrayBuffer | MessagePort)[]): void {
    if (this.#closed) return;
    this.flush();
    this.#port.postMessage([OP, op, undefined, false], [...moved]);
  }

  /** The other end is gone, and will acknowledge nothing: nobody need wait for it. */
  cut(): void {
    this.#isCut = true;
    this.#wakeWaiting();
  }

  acknowledged(count: number): void {
    this.#unacknowledged -= count;
    this.#wakeWaiting();
  }

  flush(): void {
    this.#isFlushDue = false;
    const batch = this.#batch;
    if (batch.length === 0 || this.#closed) return;
    this.#batch = [];
    try {
      this.#post(batch);
    } catch {
      for (let index = 0; index < batch.length; index += PARTS) this.#postAlone(itemAt(batch, index));
    }
  }

  /** @returns the messages that were not posted */
  close(): readonly Item[] {
    this.#closed = true;
    const batch = this.#batch;
    this.#batch = [];
    this.#wakeWaiting();
    const items = Array.from({ length: batch.length / PARTS }, (_, item) => itemAt(batch, item * PARTS));
    return items.filter(isMessage);
  }

  #add(to: number, message: unknown, extras: Extras | undefined, waits: boolean): void {
    if (this.#closed) return;
    this.#batch.push(to, message, extras, waits);
    if (this.#batch.length >= BATCH_MAX * PARTS) {
      this.flush();
      return;
    }
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(this.#flush);
  }

  #postAlone(item: Item): void {
    try {
      this.#post(item);
    } catch (error) {
      // For example an array whose buffer was transferred after the message was checked.
      if (isMessage(item)) this.#unacknowledged -= 1;
      this.#refused(item, error);
      this.#wakeWaiting();
    }
  }

  #post(batch: Batch): void {
    this.#port.postMessage(batch);
  }

  #wakeWaiting(): void {
    if (this.hasRoom || this.#closed) this.#waiters.wakeAll();
  }
}

function isMessage([to]: Item): boolean {
  return to !== OP;
}
