import type { Behaviour, CancelTimer, Context, Ref } from '../../actors/mod.ts';
import { toEnvelope } from '../../errors.ts';
import type { LinkEvent, LinkMessage, LinkTarget } from '../../fleet/mod.ts';
import type { GuestConnection, Hypervisor } from '../port.ts';
import { FRAME_BYTES_MAX, type FrameSink, FrameType, NO_BYTES, OPERATION_BYTES_MAX, TOKEN_BYTES_MAX } from './frame.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import { parseGuestError } from './guest-error.ts';
import { OperationBytes } from './operation-bytes.ts';

/** A start or stop command for the guest to pass on to its controller's console (rule R10). */
export interface RelayMessage {
  readonly kind: 'relay';
  readonly line: string;
}

export interface LinkOptions {
  readonly target: LinkTarget;
  readonly connect: Hypervisor['connect'];
  /** Told of everything; usually the router, on the same thread. */
  readonly owner: Ref<LinkEvent>;
  /** Largest text, and reply if it is no less than 4096; a longer frame breaks the connection. Default: as long as any frame may be. */
  readonly textBytesMax?: number;
  /** How often an idle link is pinged; default 15000. */
  readonly pingIntervalMs?: number;
  /** How long the first pong of a connection may take; default 3000. `hostfwd` accepts even for a guest without network. */
  readonly firstPongMs?: number;
  /** Requests that may wait while the guest reads too slowly; beyond, 503. Default 4096. */
  readonly waitingMax?: number;
  /** 0 to 1; makes the ids of two connections differ. Default: Math.random. */
  readonly random?: () => number;
}

/** It is there to make TCP notice a loss, which on one host it does by itself; each wakes the guest. */
const PING_INTERVAL_MS = 15_000;
const FIRST_PONG_MS = 3_000;
const WAITING_MAX = 4_096;
const BACK_OFF_FIRST_MS = 10;
const BACK_OFF_MAX_MS = 1_000;
/** A batch that has grown to this is written at once, so that the connection can say that it is full. */
const BATCH_BYTES_MAX = 256 * 1024;
/** A reply may be this long even if texts must be shorter: a digest of one byte has 64. */
export const REPLY_BYTES_MAX_LEAST = 4_096;

type Request = Extract<LinkMessage, { kind: 'request' }>;
type Input = LinkMessage | RelayMessage | { readonly kind: 'connect' } | { readonly kind: 'tick' } | Defect;
/** Something in a callback threw: our own mistake, which must end the actor as in a handler. */
interface Defect {
  readonly kind: 'defect';
  readonly message: string;
}

/**
 * The link of a VM: its one connection, shared by all requests. It lives on the router's thread, so a request crosses none. It connects by
 * itself, again and again, until it is closed; a request for a link that is not connected is `link-lost` as unsent at once.
 */
export function link(options: LinkOptions): Behaviour<LinkMessage | RelayMessage> {
  return (context) => {
    // The actor sends itself more than others may.
    const body = new Link(options, context as Context<Input>);
    context.onStop(() => body.stop());
    body.receive({ kind: 'connect' });
    return (message) => body.receive(message);
  };
}

class Link implements FrameSink {
  readonly #options: LinkOptions;
  readonly #context: Context<Input>;
  readonly #vm: number;
  readonly #owner: Ref<LinkEvent>;
  readonly #waitingMax: number;
  readonly #operations = new OperationBytes();
  readonly #writer = new FrameWriter();
  readonly #flush = (): void => this.#guard(() => this.#flushNow());
  /** The router's ids of what the guest has been sent, by their low halves. */
  readonly #inFlight = new Map<number, number>();
  #waiting: Request[] = [];
  #connection: GuestConnection | undefined;
  #parser = new FrameParser(this);
  /**
   * The upper half of the ids on this connection. A guest may send replies that it kept from an earlier one, perhaps of an earlier router
   * that counted from 1 as well: without it such a reply could be taken for that of another request.
   */
  #tag = 0;
  #ready = false;
  #full = false;
  #flushing = false;
  #pongs = 0;
  #pings = 0;
  #backOffMs = BACK_OFF_FIRST_MS;
  #cancelGreeting: CancelTimer = () => undefined;

  constructor(options: LinkOptions, context: Context<Input>) {
    this.#options = options;
    this.#context = context;
    this.#vm = options.target.vm;
    this.#owner = options.owner;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
    context.every(options.pingIntervalMs ?? PING_INTERVAL_MS, () => ({ kind: 'tick' }));
  }

  receive(message: Input): void {
    switch (message.kind) {
      case 'request':
        this.#request(message);
        return;
      case 'cancel':
        this.#cancel(message.id);
        return;
      case 'relay':
        if (this.#ready) this.#send(FrameType.relay, 0, NO_BYTES, NO_BYTES, Buffer.from(message.line));
        return;
      case 'ping':
        this.#ping();
        return;
      case 'connect':
        this.#connect();
        return;
      case 'tick':
        this.#ping();
        return;
      case 'defect':
        throw new Error(message.message);
    }
  }

  stop(): void {
    this.#lose('the link was closed', false);
  }

  frame(type: number, low: number, high: number, _op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    // An earlier frame of the same chunk was the end of the connection.
    if (this.#connection === undefined) return;
    switch (type) {
      case FrameType.reply:
      case FrameType.error:
        this.#answer(type === FrameType.reply, low, high, token, payload);
        return;
      case FrameType.pong:
        this.#pong();
        return;
      case FrameType.ping:
        this.#answerPing(low, high);
        return;
      default:
        this.#lose(`FRAME_INVALID: a guest does not send frames of type ${type}`, true);
    }
  }

  #answerPing(low: number, high: number): void {
    if (this.#writer.bytes >= BATCH_BYTES_MAX) {
      this.#lose('the guest sends pings and reads no pongs', true);
      return;
    }
    this.#writer.append(FrameType.pong, low, high, NO_BYTES, NO_BYTES, NO_BYTES);
    this.#flushLater();
  }

  #request(request: Request): void {
    const { id } = request;
    if (!this.#ready) {
      this.#owner.tell({ kind: 'link-lost', vm: this.#vm, sent: [], unsent: [id], why: 'the link is not connected' });
    } else if (!this.#full) {
      this.#dispatch(request);
    } else if (this.#waiting.length < this.#waitingMax) {
      this.#waiting.push(request);
    } else {
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 503, message: 'the link to the VM is full' });
    }
  }

  #dispatch({ id, op, token, payload }: Request): void {
    const operation = this.#operations.of(op);
    if (operation === undefined) {
      const message = `an operation is 1 to ${OPERATION_BYTES_MAX} of a-z, 0-9, "-", ".", "_"`;
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 404, message });
      return;
    }
    if (token.length > TOKEN_BYTES_MAX) {
      const message = `a token has at most ${TOKEN_BYTES_MAX} bytes, this one ${token.length}`;
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 400, message });
      return;
    }
    this.#inFlight.set(id >>> 0, id);
    this.#send(FrameType.request, id >>> 0, operation, token, payload);
  }

  #cancel(id: number): void {
    if (this.#inFlight.get(id >>> 0) === id) {
      this.#send(FrameType.cancel, id >>> 0, NO_BYTES, NO_BYTES, NO_BYTES);
      return;
    }
    const at = this.#waiting.findIndex((request) => request.id === id);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 499, message: 'cancelled before it was sent' });
  }

  #answer(ok: boolean, low: number, high: number, token: Uint8Array, payload: Uint8Array): void {
    const id = high === this.#tag ? this.#inFlight.get(low) : undefined;
    if (id === undefined) {
      // Nobody can publish a reply without a token: it belongs to nobody.
      if (token.length > 0) this.#owner.tell({ kind: 'link-orphaned-reply', vm: this.#vm, token, ok, payload });
      return;
    }
    this.#inFlight.delete(low);
    if (ok) this.#owner.tell({ kind: 'link-reply', vm: this.#vm, id, payload });
    else this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, ...parseGuestError(payload) });
  }

  #connect(): void {
    if (this.#connection !== undefined) return;
    const connection = this.#options.connect(this.#options.target.address);
    this.#connection = connection;
    this.#parser = new FrameParser(this, frameBytesMax(this.#options.textBytesMax));
    this.#tag = ((this.#options.random ?? Math.random)() * 0x1_0000_0000) >>> 0;
    const mine = (work: () => void): void => {
      if (this.#connection === connection) this.#guard(work);
    };
    connection.onOpen(() => mine(() => this.#opened()));
    connection.onBytes((bytes) => mine(() => this.#received(bytes)));
    connection.onDrain(() => mine(() => this.#drained()));
    connection.onClose((why) => mine(() => this.#lose(why, true)));
  }

  #opened(): void {
    this.#pings = 1;
    this.#pongs = 0;
    this.#send(FrameType.ping, 0, NO_BYTES, NO_BYTES, NO_BYTES);
    const limitMs = this.#options.firstPongMs ?? FIRST_PONG_MS;
    const connection = this.#connection;
    this.#cancelGreeting = this.#context.clock.timer(limitMs, () => {
      if (this.#connection === connection && !this.#ready) this.#lose(`no pong within ${limitMs} ms`, true);
    });
  }

  #received(bytes: Uint8Array): void {
    try {
      this.#parser.push(bytes);
    } catch (error) {
      const { code, message } = toEnvelope(error);
      if (code !== 'FRAME_INVALID') throw error;
      this.#lose(`${code}: ${message}`, true);
    }
  }

  #pong(): void {
    this.#pongs += 1;
    if (this.#ready) return;
    this.#cancelGreeting();
    this.#ready = true;
    this.#backOffMs = BACK_OFF_FIRST_MS;
    this.#owner.tell({ kind: 'link-ready', vm: this.#vm });
  }

  /** One unanswered ping at most: it is there to make TCP notice, and a guest that computes may leave it unanswered for long. */
  #ping(): void {
    if (!this.#ready || this.#pongs < this.#pings || this.#inFlight.size > 0) return;
    this.#pings = 1;
    this.#pongs = 0;
    this.#send(FrameType.ping, 0, NO_BYTES, NO_BYTES, NO_BYTES);
  }

  #send(type: FrameType, idLow: number, op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    this.#writer.append(type, idLow, this.#tag, op, token, payload);
    if (this.#writer.bytes >= BATCH_BYTES_MAX) this.#flushNow();
    else this.#flushLater();
  }

  /** After the turns of all actors that have mail now: what they send makes one write. */
  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  #flushNow(): void {
    this.#flushing = false;
    const connection = this.#connection;
    if (connection === undefined || this.#full || this.#writer.bytes === 0) return;
    for (const piece of this.#writer.take()) {
      if (!connection.write(piece)) this.#full = true;
    }
  }

  #drained(): void {
    this.#full = false;
    this.#flushNow();
    let sent = 0;
    for (const request of this.#waiting) {
      if (this.#full) break;
      this.#dispatch(request);
      sent += 1;
    }
    this.#waiting = this.#waiting.slice(sent);
  }

  #lose(why: string, again: boolean): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const wasReady = this.#ready;
    this.#connection = undefined;
    this.#ready = false;
    this.#full = false;
    this.#cancelGreeting();
    this.#writer.take();
    connection.close();
    // A try that came to nothing is no news.
    if (wasReady) this.#tellLost(why);
    if (!again) return;
    this.#context.after(this.#backOffMs, { kind: 'connect' });
    this.#backOffMs = Math.min(this.#backOffMs * 2, BACK_OFF_MAX_MS);
  }

  #tellLost(why: string): void {
    const sent = [...this.#inFlight.values()];
    const unsent = this.#waiting.map(({ id }) => id);
    this.#inFlight.clear();
    this.#waiting = [];
    this.#owner.tell({ kind: 'link-lost', vm: this.#vm, sent, unsent, why });
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#context.self.tell({
        kind: 'defect',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }
}

function frameBytesMax(textBytesMax: number | undefined): number {
  if (textBytesMax === undefined) return FRAME_BYTES_MAX;
  return Math.max(textBytesMax, REPLY_BYTES_MAX_LEAST) + OPERATION_BYTES_MAX + TOKEN_BYTES_MAX;
}
