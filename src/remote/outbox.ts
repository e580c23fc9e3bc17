import { type Item, OP } from './frame.ts';

export interface OutboxLimits {
  /** Messages that wait, or are on their way and not acknowledged; beyond it the outbox is full. */
  readonly outboxMessagesMax: number;
  /** Their bytes, likewise. */
  readonly outboxBytesMax: number;
  /** Bytes that may be on their way and not acknowledged. One frame always may. */
  readonly windowBytes: number;
}

export interface SentFrame {
  readonly seq: number;
  readonly items: readonly Item[];
  readonly messages: number;
  readonly bytes: number;
  /** Those of the messages alone, without what each takes beside them. */
  readonly messageBytes: number;
}

/** What an item takes in a frame beside its own bytes. */
export const ITEM_BYTES = 16;
/** What a frame takes beside its items. */
export const FRAME_BYTES = 96;
/** Frames are not filled beyond this: whoever gets one works through it at once. */
const FRAME_FILL_BYTES = 64 * 1024;

/**
 * What was sent to another host and not acknowledged: frames on their way, which are sent anew until they are, and
 * items that wait for their turn.
 */
export class Outbox {
  readonly #limits: OutboxLimits;
  #waiting: Item[] = [];
  #onTheWay: SentFrame[] = [];
  #seq = 0;
  #size = 0;
  #messages = 0;
  #bytes = 0;
  #windowBytes = 0;
  #leftSeq = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  /** Messages and operations that are not acknowledged. */
  get size(): number {
    return this.#size;
  }

  /** Operations do not count: there are no more of them than refs, watches and actors, and none can be refused. */
  get isFull(): boolean {
    const { outboxMessagesMax, outboxBytesMax } = this.#limits;
    return this.#messages >= outboxMessagesMax || this.#bytes >= outboxBytesMax;
  }

  /** Less than half full: whoever can wait does until then. */
  get hasRoom(): boolean {
    const { outboxMessagesMax, outboxBytesMax } = this.#limits;
    return this.#messages < outboxMessagesMax / 2 && this.#bytes < outboxBytesMax / 2;
  }

  get onTheWay(): readonly SentFrame[] {
    return this.#onTheWay;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    this.#size += 1;
    if (item.to === OP) return;
    this.#messages += 1;
    this.#bytes += item.bytes.length;
  }

  /** Puts what may go now into a frame. @returns undefined if nothing waits, or the window is full */
  next(payloadBytesMax: number): SentFrame | undefined {
    const fill = Math.min(FRAME_FILL_BYTES, payloadBytesMax - FRAME_BYTES);
    let count = 0;
    let bytes = 0;
    for (const item of this.#waiting) {
      const size = item.bytes.length + ITEM_BYTES;
      if (count > 0 && bytes + size > fill) break;
      bytes += size;
      count += 1;
    }
    if (count === 0 || (this.#windowBytes > 0 && this.#windowBytes + bytes > this.#limits.windowBytes))
      return undefined;
    const items = this.#waiting.splice(0, count);
    this.#seq += 1;
    const frame = { seq: this.#seq, items, bytes, ...messagesIn(items) };
    this.#windowBytes += bytes;
    this.#onTheWay.push(frame);
    return frame;
  }

  /** A frame was given to the network. Without a connection it is not. */
  left(seq: number): void {
    this.#leftSeq = Math.max(this.#leftSeq, seq);
  }

  /** @returns whether frames were acknowledged that were not before */
  acknowledged(seq: number): boolean {
    const count = this.#onTheWay.findLastIndex((frame) => frame.seq <= seq) + 1;
    for (const frame of this.#onTheWay.splice(0, count)) {
      this.#windowBytes -= frame.bytes;
      this.#size -= frame.items.length;
      this.#messages -= frame.messages;
      this.#bytes -= frame.messageBytes;
    }
    return count > 0;
  }

  /** Empties it. @returns how many messages may have arrived, and how many never left */
  close(): { readonly mayHaveArrived: number; readonly unsent: number } {
    let mayHaveArrived = 0;
    let unsent = messagesIn(this.#waiting).messages;
    for (const { seq, messages } of this.#onTheWay) {
      if (seq <= this.#leftSeq) mayHaveArrived += messages;
      else unsent += messages;
    }
    this.#onTheWay = [];
    this.#waiting = [];
    this.#size = 0;
    this.#messages = 0;
    this.#bytes = 0;
    this.#windowBytes = 0;
    return { mayHaveArrived, unsent };
  }
}

function messagesIn(items: readonly Item[]): { readonly messages: number; readonly messageBytes: number } {
  const messages = items.filter(({ to }) => to !== OP);
  return { messages: messages.length, messageBytes: messages.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}
