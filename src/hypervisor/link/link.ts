import { type Behaviour, type Context, exponentialDelayMs, type Ref } from '../../actors/mod.ts';
import type { Address, LinkEvent, LinkMessage, LinkTarget, VmId } from '../../fleet/mod.ts';
import { SmallMap } from '../../small-map.ts';
import { type Defect, defectOf } from '../defect.ts';
import type { Hypervisor } from '../port.ts';
import { FRAME_BYTES_MAX, FrameType, NO_BYTES, OPERATION_BYTES_MAX, TOKEN_BYTES_MAX } from './frame.ts';
import { type ConnectionListener, FramedConnection } from './framed-connection.ts';
import { parseGuestError } from './guest-error.ts';
import { KeepAlive, type KeepAliveMessage } from './keep-alive.ts';
import { OperationBytes } from './operation-bytes.ts';

/** What many links have in common. */
export interface LinkOptions {
  readonly connect: Hypervisor['connect'];
  /**
   * Largest text, and reply if it is no less than 4096; a longer frame breaks the connection. Default: as long as any
   * frame may be.
   */
  readonly textBytesMax?: number;
  /** Has idle links pinged; default: one for each link. */
  readonly keepAlive?: KeepAlive;
  /** How long the first pong of a connection may take; default 3000. */
  readonly firstPongMs?: number;
  /** Requests that may wait while the guest reads too slowly; beyond, 503. Default 4096. */
  readonly waitingMax?: number;
}

const FIRST_PONG_MS = 3_000;
const WAITING_MAX = 4_096;
/** Of all links of a thread: their guests have the same operations. */
const OPERATIONS = new OperationBytes();
const RECONNECT_DELAY = { firstMs: 10, maxMs: 1_000 };
/** A reply may be this long even if texts must be shorter: a digest of one byte has 64. */
export const REPLY_BYTES_MAX_LEAST = 4_096;

type Request = Extract<LinkMessage, { kind: 'request' }>;
type LinkInput = LinkMessage | { readonly kind: 'connect' } | KeepAliveMessage | Defect;

/**
 * The link of a VM: one connection, shared by all requests. It lives on the router's thread, so a request crosses
 * none. Until it is stopped it connects again and again; a request for a link that is not connected is told at once
 * as `link-lost` and unsent.
 * @param owner told of everything; usually the router, on the same thread
 */
export function link({ vm, address }: LinkTarget, owner: Ref<LinkEvent>, options: LinkOptions): Behaviour<LinkMessage> {
  return (context) => {
    // The actor sends itself more than others may.
    const body = new Link(vm, address, owner, options, context as Context<LinkInput>);
    context.onStop(() => body.stop());
    body.receive({ kind: 'connect' });
    return (message) => body.receive(message);
  };
}

class Link implements ConnectionListener {
  readonly #vm: number;
  readonly #address: Address;
  readonly #owner: Ref<LinkEvent>;
  readonly #options: LinkOptions;
  readonly #context: Context<LinkInput>;
  readonly #keepAlive: KeepAlive;
  readonly #keepAlivePart: number;
  /** The router's ids of what the guest has been sent, by their low halves. */
  readonly #inFlight = new SmallMap<number, number>();
  /** Undefined while none waits. */
  #waiting: Request[] | undefined;
  #connection: FramedConnection | undefined;
  /** Connections in a row that never became ready. */
  #failures = 0;

  constructor(vm: VmId, address: Address, owner: Ref<LinkEvent>, options: LinkOptions, context: Context<LinkInput>) {
    this.#vm = vm;
    this.#address = address;
    this.#owner = owner;
    this.#options = options;
    this.#context = context;
    this.#keepAlive = options.keepAlive ?? new KeepAlive(context.clock);
    this.#keepAlivePart = this.#keepAlive.add(context.self);
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
        this.#connection?.ask();
        return;
      case 'relay':
        if (this.#connection?.isReady === true)
          this.#connection.send(FrameType.relay, 0, NO_BYTES, NO_BYTES, Buffer.from(message.line));
        return;
      case 'connect':
        this.#connect();
        return;
      case 'keep-alive':
        if (this.#inFlight.size === 0) this.#connection?.keepAlive();
        return;
      case 'defect':
        throw new Error(message.message);
    }
  }

  stop(): void {
    this.#keepAlive.remove(this.#context.self, this.#keepAlivePart);
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    connection.close();
    if (connection.isReady) this.#tellLost('the link was closed');
  }

  ready(): void {
    this.#failures = 0;
    this.#owner.tell({ kind: 'link-ready', vm: this.#vm });
  }

  pong(): void {
    this.#owner.tell({ kind: 'link-pong', vm: this.#vm });
  }

  answer(ok: boolean, low: number, high: number, token: Uint8Array, payload: Uint8Array): void {
    const id = high === this.#connection?.tag ? this.#inFlight.get(low) : undefined;
    if (id === undefined) {
      // Nobody can publish a reply without a token: it belongs to nobody.
      if (token.length > 0) this.#owner.tell({ kind: 'link-orphaned-reply', vm: this.#vm, token, ok, payload });
      return;
    }
    this.#inFlight.delete(low);
    if (ok) this.#owner.tell({ kind: 'link-reply', vm: this.#vm, id, payload });
    else this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, ...parseGuestError(payload) });
  }

  drained(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    let sent = 0;
    for (const request of waiting) {
      const connection = this.#connection;
      if (connection === undefined || connection.isFull) break;
      this.#dispatch(connection, request);
      sent += 1;
    }
    // What was sent may have ended the connection, and told of all that waited.
    if (this.#waiting !== undefined) this.#waiting = sent < waiting.length ? waiting.slice(sent) : undefined;
  }

  lost(why: string, wasReady: boolean): void {
    this.#connection = undefined;
    // An attempt that failed changes nothing for the owner.
    if (wasReady) this.#tellLost(why);
    this.#context.after(exponentialDelayMs(RECONNECT_DELAY, this.#failures), { kind: 'connect' });
    this.#failures += 1;
  }

  failed(error: unknown): void {
    this.#context.self.tell(defectOf(error));
  }

  #request(request: Request): void {
    const { id } = request;
    const connection = this.#connection;
    if (connection === undefined || !connection.isReady) {
      this.#owner.tell({ kind: 'link-lost', vm: this.#vm, sent: [], unsent: [id], why: 'the link is not connected' });
    } else if (!connection.isFull) {
      this.#dispatch(connection, request);
    } else if ((this.#waiting?.length ?? 0) < (this.#options.waitingMax ?? WAITING_MAX)) {
      this.#waiting ??= [];
      this.#waiting.push(request);
    } else {
      this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 503, message: 'the link to the VM is full' });
    }
  }

  #dispatch(connection: FramedConnection, { id, op, token, payload }: Request): void {
    const operation = OPERATIONS.of(op);
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
    connection.send(FrameType.request, id >>> 0, operation, token, payload);
  }

  #cancel(id: number): void {
    if (this.#inFlight.get(id >>> 0) === id) {
      this.#connection?.send(FrameType.cancel, id >>> 0, NO_BYTES, NO_BYTES, NO_BYTES);
      return;
    }
    const at = this.#waiting?.findIndex((request) => request.id === id) ?? -1;
    if (at < 0) return;
    this.#waiting?.splice(at, 1);
    this.#owner.tell({ kind: 'link-error', vm: this.#vm, id, status: 499, message: 'cancelled before it was sent' });
  }

  #connect(): void {
    if (this.#connection !== undefined) return;
    const { connect, textBytesMax, firstPongMs } = this.#options;
    this.#connection = new FramedConnection({
      connection: connect(this.#address),
      clock: this.#context.clock,
      // A guest may send replies that it kept from an earlier connection, perhaps to an earlier router that counted
      // from 1 as well: without the tag such a reply could be taken for that of another request.
      tag: (this.#context.system.random.fraction() * 0x1_0000_0000) >>> 0,
      firstPongMs: firstPongMs ?? FIRST_PONG_MS,
      frameBytesMax: frameBytesMax(textBytesMax),
      listener: this,
    });
  }

  #tellLost(why: string): void {
    const sent = [...this.#inFlight.values()];
    const unsent = this.#waiting?.map(({ id }) => id) ?? [];
    this.#inFlight.clear();
    this.#waiting = undefined;
    this.#owner.tell({ kind: 'link-lost', vm: this.#vm, sent, unsent, why });
  }
}

function frameBytesMax(textBytesMax: number | undefined): number {
  if (textBytesMax === undefined) return FRAME_BYTES_MAX;
  return Math.max(textBytesMax, REPLY_BYTES_MAX_LEAST) + OPERATION_BYTES_MAX + TOKEN_BYTES_MAX;
}
