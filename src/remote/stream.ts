import type { CancelTimer, Clock } from '../actors/mod.ts';
import type { Data, Item } from './frame.ts';
import { Outbox, type OutboxLimits, type SentFrame } from './outbox.ts';

interface StreamOptions {
  readonly clock: Clock;
  readonly limits: OutboxLimits;
  readonly payloadBytesMax: () => number;
  readonly send: (frame: Pick<Data, 'seq' | 'ack' | 'isGap' | 'items'>) => void;
  readonly onItems: (items: readonly Item[]) => void;
  /** The other end has taken some of what was sent. */
  readonly onTaken: () => void;
}

/** An acknowledgement waits so long for a frame to travel with. */
const ACK_MS = 50;
/** What is not acknowledged is sent anew after so long, and then after twice as long each time, up to the limit. */
const RESEND_MS = 300;
const RESEND_MS_MAX = 2_000;

/**
 * Carries items from one end to the other in order and once, over a network that loses, doubles and delays: frames are
 * numbered, kept until the other end has taken them, and sent anew meanwhile. Whatever comes out of its turn is dropped,
 * because it will come again.
 */
export class Stream {
  readonly #options: StreamOptions;
  readonly #outbox: Outbox;
  #isClosed = false;
  #isFlushDue = false;
  /** The last frame that was taken of the other end's. */
  #taken = 0;
  /** A frame came before its turn: told once until the gap is closed. */
  #isGap = false;
  #isGapDue = false;
  #ack: 'none' | 'later' | 'now' = 'none';
  #bytesToAck = 0;
  #cancelAck: CancelTimer = () => undefined;
  #cancelResend: CancelTimer | undefined;
  #resendMs = RESEND_MS;
  /** When the other end last took something, or all was last sent anew. */
  #movedMs = 0;
  #resentMs = Number.NEGATIVE_INFINITY;
  readonly #counts = { doubled: 0, early: 0, resent: 0 };

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.limits);
  }

  get outbox(): Outbox {
    return this.#outbox;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Frames that came twice, that came before their turn, and that were sent anew. */
  get counts(): { readonly doubled: number; readonly early: number; readonly resent: number } {
    return this.#counts;
  }

  /** Sends an item with all others of this round of the event loop. */
  add(item: Item): void {
    this.#outbox.add(item);
    this.#flushSoon();
  }

  /** Tells the other end what was taken, and by that, that this end is there. */
  acknowledge(): void {
    this.#ack = 'now';
    this.#flushSoon();
  }

  receive({ seq, ack, isGap, items }: Pick<Data, 'seq' | 'ack' | 'isGap' | 'items'>): void {
    if (this.#isClosed) return;
    this.acknowledged(ack);
    if (isGap) this.#resendOnce();
    if (seq === 0) return;
    if (seq <= this.#taken) {
      this.#counts.doubled += 1;
      this.acknowledge();
    } else if (seq > this.#taken + 1) {
      this.#counts.early += 1;
      if (this.#isGap) return;
      this.#isGap = true;
      this.#isGapDue = true;
      this.acknowledge();
    } else {
      this.#taken = seq;
      this.#isGap = false;
      this.#acknowledgeLater(items);
      this.#options.onItems(items);
    }
  }

  /** The other end has taken all frames up to this one. */
  acknowledged(seq: number): void {
    if (!this.#outbox.acknowledged(seq)) return;
    this.#resendMs = RESEND_MS;
    this.#movedMs = this.#options.clock.monotonic();
    this.#flushSoon();
    this.#options.onTaken();
  }

  /** Sends anew all that is on its way, at once. */
  resend(): void {
    this.#resentMs = this.#options.clock.monotonic();
    this.#movedMs = this.#resentMs;
    this.#counts.resent += this.#outbox.onTheWay.length;
    for (const frame of this.#outbox.onTheWay) this.#send(frame);
  }

  /** @returns how many messages may have arrived, and how many never left */
  close(): { readonly mayHaveArrived: number; readonly unsent: number } {
    this.#isClosed = true;
    this.#cancelAck();
    this.#cancelResend?.();
    return this.#outbox.close();
  }

  #flushSoon(): void {
    if (this.#isFlushDue || this.#isClosed) return;
    this.#isFlushDue = true;
    this.#options.clock.soon(() => this.flush());
  }

  /** Sends what waits now, as far as the window lets it. */
  flush(): void {
    this.#isFlushDue = false;
    if (this.#isClosed) return;
    const payloadBytesMax = this.#options.payloadBytesMax();
    for (let next = this.#outbox.next(payloadBytesMax); next !== undefined; next = this.#outbox.next(payloadBytesMax)) {
      this.#send(next);
    }
    if (this.#ack === 'now') this.#post({ seq: 0, items: [] });
  }

  #send(frame: SentFrame): void {
    this.#post(frame);
    // The way was empty before it, though the timer of an earlier frame may run yet.
    if (this.#outbox.onTheWay[0] === frame) this.#movedMs = this.#options.clock.monotonic();
    if (this.#cancelResend === undefined) this.#watchOver(this.#resendMs);
  }

  #post({ seq, items }: { readonly seq: number; readonly items: readonly Item[] }): void {
    this.#cancelAck();
    this.#ack = 'none';
    this.#bytesToAck = 0;
    const isGap = this.#isGapDue && this.#isGap;
    this.#isGapDue = false;
    this.#options.send({ seq, ack: this.#taken, isGap, items });
  }

  #acknowledgeLater(items: readonly Item[]): void {
    for (const { bytes } of items) this.#bytesToAck += bytes.length;
    if (this.#bytesToAck >= this.#options.limits.windowBytes / 4) {
      this.acknowledge();
    } else if (this.#ack === 'none') {
      this.#ack = 'later';
      this.#cancelAck = this.#options.clock.timer(ACK_MS, () => this.acknowledge());
    }
  }

  /** Of several notices of one gap, one counts. */
  #resendOnce(): void {
    if (this.#options.clock.monotonic() - this.#resentMs >= ACK_MS) this.resend();
  }

  #watchOver(delayMs: number): void {
    this.#cancelResend = this.#options.clock.timer(delayMs, () => {
      this.#cancelResend = undefined;
      if (this.#outbox.onTheWay.length === 0) return;
      const leftMs = this.#movedMs + this.#resendMs - this.#options.clock.monotonic();
      if (leftMs > 0) {
        this.#watchOver(leftMs);
        return;
      }
      this.#resendMs = Math.min(2 * this.#resendMs, RESEND_MS_MAX);
      this.resend();
    });
  }
}
