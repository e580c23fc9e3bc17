import type { CancelTimer, Clock } from '../../actors/mod.ts';
import { toEnvelope } from '../../errors.ts';
import type { GuestConnection } from '../port.ts';
import { contentTypeBytes, splitTyped } from './content-type-bytes.ts';
import { FRAME_BYTES_MAX, type FrameSink, FrameType, NO_BYTES } from './frame.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import type { ChannelListener, GuestChannel, LinkRequest } from './guest-channel.ts';
import { parseGuestError } from './guest-error.ts';

export interface FramedConnectionOptions {
  readonly connection: GuestConnection;
  /** The upper half of the ids of all frames that are sent. */
  readonly tag: number;
  /** Largest length of what follows a header; default: as long as any frame may be. */
  readonly frameBytesMax?: number | undefined;
  readonly listener: ConnectionListener;
}

export interface ConnectionListener extends ChannelListener {
  readonly clock: Clock;
  /** How long the first pong may take. `hostfwd` accepts even for a guest without network. */
  readonly firstPongMs: number;
  /** Requests go in frames that carry their content type, if the guest takes such frames. */
  readonly isTyped: boolean;
  /** @param idLow undefined for the answer to a request of another connection */
  answer(ok: boolean, idLow: number | undefined, token: Uint8Array, payload: Uint8Array, contentType?: string): void;
}

/** A batch that has grown to this is written at once, so that the connection can say that it is full. */
const BATCH_BYTES_MAX = 256 * 1024;
/** The connections of this thread that have something to write. */
let toFlush: FramedConnection[] = [];
/** Pings have ids of their own, which tell their pongs apart. */
const KEEP_ALIVE_ID = 0;
const ASKED_ID = 1;

/**
 * One connection to a guest, from the attempt to its loss: frames in both directions, sent in batches. It is ready once the guest has
 * answered: the opening of a port, else a ping.
 */
export class FramedConnection implements FrameSink, GuestChannel {
  /** The upper half of the ids of all frames that are sent. */
  readonly #tag: number;
  readonly #connection: GuestConnection;
  readonly #listener: ConnectionListener;
  readonly #parser: FrameParser;
  /** Undefined while there is nothing to write. */
  #writer: FrameWriter | undefined;
  #ready = false;
  #full = false;
  #flushing = false;
  #lost = false;
  #pongDue = false;
  #cancelGreeting: CancelTimer | undefined;

  constructor(options: FramedConnectionOptions) {
    const { connection, tag, frameBytesMax = FRAME_BYTES_MAX, listener } = options;
    this.#tag = tag;
    this.#connection = connection;
    this.#listener = listener;
    this.#parser = new FrameParser(this, frameBytesMax);
    connection.onOpen(this.#onOpen.bind(this));
    connection.onBytes(this.#onBytes.bind(this));
    connection.onDrain(this.#onDrain.bind(this));
    connection.onClose(this.#onClose.bind(this));
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** True while the guest reads too slowly: what is sent now stays in memory. */
  get isFull(): boolean {
    return this.#full;
  }

  request({ id, token, payload, contentType, takesTypes }: LinkRequest, operation: Uint8Array): void {
    if (!this.#listener.isTyped || takesTypes !== true)
      return this.#send(FrameType.request, id >>> 0, operation, token, payload);
    this.#send(FrameType.typedRequest, id >>> 0, operation, token, payload, contentTypeBytes(contentType));
  }

  cancel(low: number): void {
    this.#send(FrameType.cancel, low, NO_BYTES, NO_BYTES, NO_BYTES);
  }

  /** All requests share the one connection. */
  lack(): void {}

  relay(line: string): void {
    this.#send(FrameType.relay, 0, NO_BYTES, NO_BYTES, Buffer.from(line));
  }

  #send(
    type: FrameType,
    idLow: number,
    op: Uint8Array,
    token: Uint8Array,
    payload: Uint8Array,
    contentType: Uint8Array = NO_BYTES,
  ): void {
    this.#writer ??= new FrameWriter();
    this.#writer.append(type, idLow, this.#tag, op, token, payload, contentType);
    if (this.#isBatchFull) this.#flushNow();
    else this.#flushLater();
  }

  /** Pings, so that TCP notices a loss. At most one such ping is unanswered: a guest that computes may take long. */
  keepAlive(): void {
    if (!this.#ready || this.#pongDue) return;
    this.#pongDue = true;
    this.#ping(KEEP_ALIVE_ID);
  }

  /** Pings at once; `pong` follows if the guest answers. */
  ask(): void {
    // Without the limit, asking a guest that reads nothing would fill the memory.
    if (this.#ready && !this.#isBatchFull) this.#ping(ASKED_ID);
  }

  /** Writes what was sent. */
  flush(): void {
    this.#guard(() => this.#flushNow());
  }

  /** Ends the connection without another word to its listener. */
  close(): void {
    this.#lost = true;
    this.#greeted();
    this.#connection.close();
  }

  frame(type: number, low: number, high: number, _op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    // An earlier frame of the same chunk was the end of the connection.
    if (this.#lost) return;
    switch (type) {
      case FrameType.error:
        if (low === 0 && high === 0 && token.length === 0) {
          // About the connection: over a port it is the only word of its end.
          this.#lose(`the guest ended the connection: ${shown(payload)}`);
          return;
        }
        this.#listener.answer(false, this.#ownId(low, high), token, payload);
        return;
      case FrameType.reply:
        this.#listener.answer(true, this.#ownId(low, high), token, payload);
        return;
      case FrameType.typedReply: {
        const typed = splitTyped(payload);
        if (typed === undefined) this.#lose('FRAME_INVALID: a reply has a content type that is none');
        else this.#listener.answer(true, this.#ownId(low, high), token, typed.payload, typed.contentType);
        return;
      }
      case FrameType.pong:
        this.#pong(low);
        return;
      case FrameType.ping:
        this.#answerPing(low, high);
        return;
      default:
        this.#lose(`FRAME_INVALID: a guest does not send frames of type ${type}`);
    }
  }

  #ownId(low: number, high: number): number | undefined {
    return high === this.#tag ? low : undefined;
  }

  get #isBatchFull(): boolean {
    return this.#writer !== undefined && this.#writer.bytes >= BATCH_BYTES_MAX;
  }

  #onOpen(): void {
    this.#guard(() => this.#opened());
  }

  #onBytes(bytes: Uint8Array): void {
    this.#guard(() => this.#received(bytes));
  }

  #onDrain(): void {
    this.#guard(() => this.#drained());
  }

  #onClose(why: string): void {
    this.#guard(() => this.#lose(why));
  }

  #opened(): void {
    if (this.#connection.isAnsweredOpen === true) {
      this.#begin();
      return;
    }
    this.#pongDue = true;
    this.#ping(KEEP_ALIVE_ID);
    const { clock, firstPongMs } = this.#listener;
    this.#cancelGreeting = clock.timer(firstPongMs, () => {
      if (!this.#ready) this.#guard(() => this.#lose(`no pong within ${firstPongMs} ms`));
    });
  }

  #ping(id: number): void {
    this.#send(FrameType.ping, id, NO_BYTES, NO_BYTES, NO_BYTES);
  }

  #pong(id: number): void {
    this.#pongDue = false;
    if (!this.#ready) {
      this.#greeted();
      this.#begin();
    } else if (id === ASKED_ID) {
      this.#listener.pong();
    }
  }

  #begin(): void {
    this.#ready = true;
    this.#listener.ready();
  }

  /** Nothing is kept of the timer. */
  #greeted(): void {
    this.#cancelGreeting?.();
    this.#cancelGreeting = undefined;
  }

  #answerPing(low: number, high: number): void {
    if (this.#isBatchFull) {
      this.#lose('the guest sends pings and reads no pongs');
      return;
    }
    this.#writer ??= new FrameWriter();
    this.#writer.append(FrameType.pong, low, high, NO_BYTES, NO_BYTES, NO_BYTES);
    this.#flushLater();
  }

  #received(bytes: Uint8Array): void {
    try {
      this.#parser.push(bytes);
    } catch (error) {
      const { code, message } = toEnvelope(error);
      if (code !== 'FRAME_INVALID') throw error;
      this.#lose(`${code}: ${message}`);
    }
  }

  /** After the turns of all actors that have mail now: what they send makes one write. */
  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    if (toFlush.length === 0) queueMicrotask(flushAll);
    toFlush.push(this);
  }

  #flushNow(): void {
    this.#flushing = false;
    const writer = this.#writer;
    if (this.#full || writer === undefined) return;
    this.#writer = undefined;
    for (const piece of writer.take()) {
      if (!this.#connection.write(piece)) this.#full = true;
    }
  }

  #drained(): void {
    this.#full = false;
    this.#flushNow();
    this.#listener.drained();
  }

  #lose(why: string): void {
    if (this.#lost) return;
    this.close();
    this.#listener.lost(why, this.#ready);
  }

  #guard(work: () => void): void {
    if (this.#lost) return;
    try {
      work();
    } catch (error) {
      this.#listener.failed(error);
    }
  }
}

/** What a guest says of the end, for people. */
function shown(payload: Uint8Array): string {
  const { status, message } = parseGuestError(payload);
  return `${status} ${message}`;
}

function flushAll(): void {
  const connections = toFlush;
  toFlush = [];
  for (const connection of connections) connection.flush();
}
