import {
  type Behaviour,
  type Clock,
  type Context,
  exponentialDelayMs,
  type Receive,
  type Ref,
} from '../../actors/mod.ts';
import {
  BYTES_TYPE,
  CONTENT_TYPE_FORM,
  isContentType,
  type LinkEvent,
  type LinkMessage,
  type LinkTarget,
} from '../../fleet/mod.ts';
import { OPERATION_CHARS_MAX, OPERATION_NAME_FORM } from '../../operation-name.ts';
import { SmallMap } from '../../small-map.ts';
import { type Defect, defectOf } from '../defect.ts';
import type { Hypervisor } from '../port.ts';
import type { Payload } from '../profile/profile.ts';
import { FRAME_BYTES_MAX, TOKEN_BYTES_MAX, TYPE_BYTES_MAX } from './frame.ts';
import { type ConnectionListener, FramedConnection } from './framed-connection.ts';
import type { GuestChannel, LinkRequest } from './guest-channel.ts';
import { type GuestError, parseGuestError } from './guest-error.ts';
import { HttpChannel, type HttpChannelListener } from './http/http-channel.ts';
import type { HttpSettings } from './http/http-settings.ts';
import { KeepAlive, type KeepAliveMessage } from './keep-alive.ts';
import type { LongWork } from './long-work.ts';
import { operationBytes } from './operation-bytes.ts';

/** What many links have in common. */
export interface LinkOptions {
  readonly connect: Hypervisor['connect'];
  /** What the guests take and give; default: text. */
  readonly payload?: Payload;
  /** The guests speak HTTP; default: frames. */
  readonly http?: HttpSettings | undefined;
  /**
   * Largest text, and reply if it is no less than 4096; a longer frame breaks the connection. Default: as long as any
   * frame may be.
   */
  readonly textBytesMax?: number;
  /** Has idle links pinged; default: one for each link. */
  readonly keepAlive?: KeepAlive;
  /** Told what guests work on; default: nobody is. */
  readonly longWork?: LongWork;
  /** How long the first pong of a connection may take, over frames; default 3000. */
  readonly firstPongMs?: number;
  /** Requests that may wait while the guest reads too slowly, or a connection is opened; beyond, 503. Default 4096. */
  readonly waitingMax?: number;
}

const FIRST_PONG_MS = 3_000;
const WAITING_MAX = 4_096;
const RECONNECT_DELAY = { firstMs: 10, maxMs: 1_000 };
/** A reply may be this long even if texts must be shorter: a digest of one byte has 64. */
export const REPLY_BYTES_MAX_LEAST = 4_096;

type LinkInput = LinkMessage | { readonly kind: 'connect' } | KeepAliveMessage | Defect;

/**
 * The link of a VM: over frames one connection, shared by all requests; over HTTP one for each. It lives on the router's thread, so a request crosses
 * none. Until it is stopped it connects again and again; a request for a link that is not connected is told at once
 * as `link-lost` and unsent.
 * @param owner told of everything; usually the router, on the same thread
 */
export function link(target: LinkTarget, owner: Ref<LinkEvent>, options: LinkOptions): Behaviour<LinkMessage> {
  return start.bind(undefined, target, owner, options);
}

function start(
  target: LinkTarget,
  owner: Ref<LinkEvent>,
  options: LinkOptions,
  context: Context<LinkMessage>,
): Receive<LinkMessage> {
  // The actor sends itself more than others may.
  const body = new Link(target, owner, options, context as Context<LinkInput>);
  context.onStop(body);
  body.receive({ kind: 'connect' });
  return body.receive.bind(body);
}

class Link implements Disposable, ConnectionListener, HttpChannelListener {
  readonly #target: LinkTarget;
  readonly #owner: Ref<LinkEvent>;
  readonly #options: LinkOptions;
  readonly #context: Context<LinkInput>;
  readonly #keepAlive: KeepAlive;
  readonly #keepAlivePart: number;
  /** The router's ids of what the guest has been sent, by their low halves. Undefined while that is nothing. */
  #inFlight: SmallMap<number, number> | undefined;
  /** Undefined while none waits. */
  #waiting: LinkRequest[] | undefined;
  #channel: GuestChannel | undefined;
  /** Connections in a row that never became ready. */
  #failures = 0;

  constructor(target: LinkTarget, owner: Ref<LinkEvent>, options: LinkOptions, context: Context<LinkInput>) {
    this.#target = target;
    this.#owner = owner;
    this.#options = options;
    this.#context = context;
    this.#keepAlive = options.keepAlive ?? new KeepAlive(context.clock);
    this.#keepAlivePart = this.#keepAlive.add(context.self);
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  get firstPongMs(): number {
    return this.#options.firstPongMs ?? FIRST_PONG_MS;
  }

  get isTyped(): boolean {
    return this.#options.payload === 'bytes';
  }

  get #vm(): number {
    return this.#target.vm;
  }

  receive(message: LinkInput): void {
    switch (message.kind) {
      case 'request':
        this.#request(message);
        return;
      case 'cancel':
        this.#cancel(message.id);
        return;
      case 'ping':
        this.#channel?.ask();
        return;
      case 'relay':
        if (this.#channel?.isReady === true) this.#channel.relay(message.line);
        return;
      case 'connect':
        this.#connect();
        return;
      case 'keep-alive':
        if (this.#inFlight === undefined) this.#channel?.keepAlive();
        return;
      case 'defect':
        throw new Error(message.message);
    }
  }

  [Symbol.dispose](): void {
    this.#keepAlive.remove(this.#context.self, this.#keepAlivePart);
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#channel = undefined;
    channel.close();
    this.#options.longWork?.end(this.#vm);
    // A guest in doubt is not ready, and may have requests in work.
    if (channel.isReady || this.#inFlight !== undefined) this.#tellLost('the link was closed');
  }

  ready(): void {
    this.#failures = 0;
    this.#owner.tell({ kind: 'link-ready', vm: this.#vm });
  }

  pong(): void {
    this.#owner.tell({ kind: 'link-pong', vm: this.#vm });
  }

  answer(ok: boolean, low: number | undefined, token: Uint8Array, payload: Uint8Array, contentType?: string): void {
    const id = low === undefined || this.#channel === undefined ? undefined : this.#inFlight?.get(low);
    if (low === undefined || id === undefined) {
      // Nobody can publish a reply without a token: it belongs to nobody.
      if (token.length === 0) return;
      const type = ok ? this.#typeOf(contentType) : {};
      this.#owner.tell({ kind: 'link-orphaned-reply', vm: this.#vm, token, ok, payload, ...type });
      return;
    }
    this.#ended(low);
    if (ok) this.#tellReply(id, payload, contentType);
    else this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, ...parseGuestError(payload) });
  }

  reply(low: number, payload: Uint8Array, contentType: string | undefined): void {
    const id = this.#taken(low);
    if (id !== undefined) this.#tellReply(id, payload, contentType);
  }

  error(low: number, error: GuestError): void {
    const id = this.#taken(low);
    if (id !== undefined) this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, ...error });
  }

  /** What else was sent is still in work. */
  dropped(low: number, why: string): void {
    const id = this.#taken(low);
    this.#owner.tell({
      kind: 'link-lost',
      vm: this.#vm,
      sent: id === undefined ? [] : [id],
      unsent: this.#takeWaiting(),
      why,
    });
  }

  drained(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    let sent = 0;
    for (const request of waiting) {
      const channel = this.#channel;
      if (channel === undefined || channel.isFull) break;
      this.#dispatch(channel, request);
      sent += 1;
    }
    // What was sent may have ended the connection, and told of all that waited.
    if (this.#waiting === undefined) return;
    this.#waiting = sent < waiting.length ? waiting.slice(sent) : undefined;
    if (this.#waiting !== undefined) this.#channel?.lack();
  }

  lost(why: string, wasReady: boolean): void {
    this.#channel = undefined;
    // An attempt that failed changes nothing for the owner.
    if (wasReady) this.#tellLost(why);
    this.#context.after(exponentialDelayMs(RECONNECT_DELAY, this.#failures), { kind: 'connect' });
    this.#failures += 1;
  }

  failed(error: unknown): void {
    this.#context.self.tell(defectOf(error));
  }

  /** Nearly all are text: nothing is made for those. */
  #tellReply(id: number, payload: Uint8Array, contentType: string | undefined): void {
    const reply = { kind: 'link-reply', vm: this.#vm, id, payload } as const;
    this.#owner.tell(this.isTyped ? { ...reply, ...this.#typeOf(contentType) } : reply);
  }

  #typeOf(contentType: string | undefined): { readonly contentType?: string } {
    return this.isTyped ? { contentType: contentType ?? BYTES_TYPE } : {};
  }

  #takeWaiting(): number[] {
    const waiting = this.#waiting?.map(({ id }) => id) ?? [];
    this.#waiting = undefined;
    return waiting;
  }

  #taken(low: number): number | undefined {
    const id = this.#inFlight?.get(low);
    this.#ended(low);
    return id;
  }

  #ended(low: number): void {
    this.#inFlight?.delete(low);
    if (this.#inFlight?.size === 0) this.#inFlight = undefined;
    this.#progressed();
  }

  /** The guest works on its requests one after the other. */
  #progressed(): void {
    if (this.#inFlight !== undefined) this.#options.longWork?.begin(this.#vm);
    else this.#options.longWork?.end(this.#vm);
  }

  #request(request: LinkRequest): void {
    const { id } = request;
    const channel = this.#channel;
    if (channel === undefined || !channel.isReady) {
      this.#owner.tell({ kind: 'link-lost', vm: this.#vm, sent: [], unsent: [id], why: 'the link is not connected' });
    } else if (!channel.isFull && this.#waiting === undefined) {
      this.#dispatch(channel, request);
    } else if ((this.#waiting?.length ?? 0) < (this.#options.waitingMax ?? WAITING_MAX)) {
      this.#waiting ??= [];
      this.#waiting.push(request);
      channel.lack();
    } else {
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 503, message: 'the link to the VM is full' });
    }
  }

  #dispatch(channel: GuestChannel, request: LinkRequest): void {
    const { id, op, token, contentType } = request;
    const operation = operationBytes(op);
    if (operation === undefined) {
      const message = `an operation is ${OPERATION_NAME_FORM}`;
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 404, message });
      return;
    }
    if (token.length > TOKEN_BYTES_MAX) {
      const message = `a token has at most ${TOKEN_BYTES_MAX} bytes, this one ${token.length}`;
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 400, message });
      return;
    }
    // It may come from another host, and becomes part of a head or a frame.
    if (contentType !== undefined && !isContentType(contentType)) {
      const message = `a content type is ${CONTENT_TYPE_FORM}`;
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 400, message });
      return;
    }
    if (this.#inFlight === undefined) this.#options.longWork?.begin(this.#vm);
    this.#inFlight ??= new SmallMap();
    this.#inFlight.set(id >>> 0, id);
    channel.request(request, operation);
  }

  #cancel(id: number): void {
    if (this.#inFlight?.get(id >>> 0) === id) {
      this.#channel?.cancel(id >>> 0);
      return;
    }
    const at = this.#waiting?.findIndex((request) => request.id === id) ?? -1;
    if (at < 0) return;
    this.#waiting?.splice(at, 1);
    this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 499, message: 'cancelled before it was sent' });
  }

  #connect(): void {
    if (this.#channel !== undefined) return;
    const { connect, http } = this.#options;
    if (http === undefined) this.#channel = this.#framed();
    else {
      this.#channel = new HttpChannel({
        connect: () => connect(this.#target),
        clock: this.clock,
        settings: http,
        bodyBytesMax: payloadBytesMax(this.#options.textBytesMax) ?? FRAME_BYTES_MAX,
        listener: this,
      });
    }
  }

  #framed(): FramedConnection {
    const { connect, textBytesMax } = this.#options;
    // A guest may send replies that it kept from an earlier connection, perhaps to an earlier router that counted
    // from 1 as well: without the tag such a reply could be taken for that of another request.
    const tag = (this.#context.system.random.fraction() * 0x1_0000_0000) >>> 0;
    return new FramedConnection({
      connection: connect(this.#target),
      tag,
      frameBytesMax: frameBytesMax(textBytesMax),
      listener: this,
    });
  }

  #tellLost(why: string): void {
    const sent = [...(this.#inFlight?.values() ?? [])];
    const unsent = this.#takeWaiting();
    this.#inFlight = undefined;
    this.#progressed();
    this.#owner.tell({ kind: 'link-lost', vm: this.#vm, sent, unsent, why });
  }
}

function frameBytesMax(textBytesMax: number | undefined): number {
  const payload = payloadBytesMax(textBytesMax);
  return payload === undefined ? FRAME_BYTES_MAX : payload + OPERATION_CHARS_MAX + TOKEN_BYTES_MAX + TYPE_BYTES_MAX;
}

function payloadBytesMax(textBytesMax: number | undefined): number | undefined {
  return textBytesMax === undefined ? undefined : Math.max(textBytesMax, REPLY_BYTES_MAX_LEAST);
}
