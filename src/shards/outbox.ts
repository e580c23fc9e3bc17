import type { MessagePort } from 'node:worker_threads';
import type { Stowed } from './parcel.ts';
import { type Batch, type Item, itemAt, OP, type Op, PARTS } from './wire.ts';

/** Messages that may be on their way to the other end without its word that it has taken them. */
export const WINDOW = 8_192;
/** More than one turn says as a rule. A batch without a limit would be one long pause for its receiver. */
const BATCH_MAX = 512;

/** Collects what one turn has to say to the other end of a port, and posts it at the end of the turn. */
export class Outbox {
  readonly #port: MessagePort;
  readonly #refused: (item: Item) => void;
  readonly #flush = (): void => this.flush();
  #batch: unknown[] = [];
  #waking = false;
  #closed = false;
  #unacknowledged = 0;
  #waiting: (() => void)[] = [];

  /** @param refused told of each message that the machine could not clone; the others go on */
  constructor(port: MessagePort, refused: (item: Item) => void) {
    this.#port = port;
    this.#refused = refused;
  }

  get hasRoom(): boolean {
    return this.#unacknowledged < WINDOW;
  }

  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Resolves when there is room, or never will be. */
  room(): Promise<void> {
    if (this.hasRoom || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  tell(to: number, message: unknown, stowed: Stowed | undefined): void {
    this.#unacknowledged += 1;
    this.#add(to, message, stowed);
  }

  op(op: Op): void {
    this.#add(OP, op, undefined);
  }

  acknowledged(count: number): void {
    this.#unacknowledged -= count;
    this.#wakeWaiting();
  }

  flush(): void {
    this.#waking = false;
    const batch = this.#batch;
    if (batch.length === 0 || this.#closed) return;
    this.#batch = [];
    try {
      this.#post(batch);
    } catch {
      for (let index = 0; index < batch.length; index += PARTS) this.#postAlone(itemAt(batch, index));
    }
  }

  /** @returns what has not been posted */
  close(): readonly Item[] {
    this.#closed = true;
    const batch = this.#batch;
    this.#batch = [];
    this.#wakeWaiting();
    return Array.from({ length: batch.length / PARTS }, (_, item) => itemAt(batch, item * PARTS));
  }

  #add(to: number, message: unknown, stowed: Stowed | undefined): void {
    if (this.#closed) return;
    this.#batch.push(to, message, stowed);
    if (this.#batch.length >= BATCH_MAX * PARTS) {
      this.flush();
      return;
    }
    if (this.#waking) return;
    this.#waking = true;
    queueMicrotask(this.#flush);
  }

  #postAlone(item: Item): void {
    try {
      this.#post(item);
    } catch {
      // Such as an array whose memory has been given away since it was looked at.
      if (item[0] !== OP) this.#unacknowledged -= 1;
      this.#refused(item);
    }
  }

  #post(batch: Batch): void {
    this.#port.postMessage(batch);
  }

  #wakeWaiting(): void {
    if (!this.hasRoom && !this.#closed) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
