import type { CloseListener, GuestConnection } from '../../port.ts';
import { type FrameSink, FrameType, NO_BYTES } from '../frame.ts';
import { FrameParser } from '../frame-parser.ts';
import { FrameWriter } from '../frame-writer.ts';

/** One request that a fake guest has got, and what the test has it do with it. */
export interface Got {
  readonly op: string;
  readonly payload: string;
  /** Names in small letters; none over frames. */
  readonly headers: ReadonlyMap<string, string>;
  reply(payload: string): void;
  fail(code: number, message: string): void;
  /** Ends the connection that it came on. */
  hangUp(why: string): void;
  /** Sends bytes on that connection. */
  say(bytes: Uint8Array): void;
  /** Whether the link has said that nobody waits any more. */
  readonly isCancelled: boolean;
}

/** The other end of a link, in either protocol. */
export interface FakeGuest {
  /** One for each connection that the link opens. */
  connect(): GuestConnection;
  /** Attempts so far. */
  readonly attempts: number;
  /** Connections are accepted from now on, and pings or probes are answered. Before, nothing happens to them. */
  up(): void;
  /** Connections from now on are refused, and those that are open break. */
  down(why: string): void;
  /** Whether pings and probes are answered, once it is up; true at first. */
  answers: boolean;
  /** In the order in which they came. */
  readonly got: readonly Got[];
}

class Wire implements GuestConnection {
  isClosed = false;
  isOpen = false;
  readonly #unsent: Uint8Array[] = [];
  readonly #received: (bytes: Uint8Array) => void;
  #open: () => void = () => undefined;
  #bytes: (bytes: Uint8Array) => void = () => undefined;
  #close: CloseListener = () => undefined;

  constructor(received: (wire: Wire, bytes: Uint8Array) => void) {
    this.#received = (bytes) => received(this, bytes);
  }

  onOpen(listener: () => void): void {
    this.#open = listener;
  }
  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#bytes = listener;
  }
  onClose(listener: CloseListener): void {
    this.#close = listener;
  }
  /** It takes whatever it is given. */
  onDrain(): void {}
  write(bytes: Uint8Array): boolean {
    if (this.isOpen) this.#received(bytes);
    else this.#unsent.push(bytes);
    return true;
  }
  close(): void {
    this.isClosed = true;
  }

  accept(): void {
    if (this.isClosed || this.isOpen) return;
    this.isOpen = true;
    this.#open();
    for (const bytes of this.#unsent.splice(0)) this.#received(bytes);
  }
  say(bytes: Uint8Array): void {
    if (!this.isClosed) this.#bytes(bytes);
  }
  hangUp(why: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#close(why, true);
  }
}

abstract class Guest implements FakeGuest {
  readonly got: Got[] = [];
  answers = true;
  attempts = 0;
  readonly #wires: Wire[] = [];
  #state: 'silent' | 'up' | 'down' = 'silent';

  connect(): GuestConnection {
    this.attempts += 1;
    const wire = this.wire();
    this.#wires.push(wire);
    // A link listens once it has the connection, and nothing comes before that.
    if (this.#state === 'up') queueMicrotask(() => wire.accept());
    if (this.#state === 'down') queueMicrotask(() => wire.hangUp('refused'));
    return wire;
  }

  up(): void {
    this.#state = 'up';
    for (const wire of this.#wires) wire.accept();
  }

  down(why: string): void {
    this.#state = 'down';
    this.hangUpAll(why);
  }

  /** Connections that are open break; others are taken as before. */
  hangUpAll(why: string): void {
    for (const wire of this.#wires.splice(0)) wire.hangUp(why);
  }

  /** Connections that neither end has closed. */
  get openConnections(): number {
    return this.#wires.filter(({ isClosed }) => !isClosed).length;
  }

  /** It takes no more connections; those that are open say nothing of that yet. */
  vanish(): void {
    this.#state = 'down';
  }

  /** Connections from now on are neither accepted nor refused, until `up` or `refuse`. */
  stall(): void {
    this.#state = 'silent';
  }

  /** Refuses the connections that it has not accepted. */
  refuse(): void {
    for (const wire of this.#wires) if (!wire.isOpen) wire.hangUp('refused');
  }

  protected abstract wire(): Wire;
}

export class FramedGuest extends Guest {
  /** Whether an answer carries the token of its request. */
  keepsTokens = true;

  protected override wire(): Wire {
    const cancelled = new Set<number>();
    const sink: FrameSink = {
      frame: (type, low, high, op, token, payload) => {
        const answer = (kind: FrameType, text: string): void => {
          const writer = new FrameWriter();
          writer.append(kind, low, high, NO_BYTES, this.keepsTokens ? token : NO_BYTES, Buffer.from(text));
          wire.say(Buffer.concat(writer.take()));
        };
        if (type === FrameType.cancel) {
          cancelled.add(low);
          answer(FrameType.error, '499 cancelled');
        }
        if (type === FrameType.ping && this.answers) answer(FrameType.pong, '');
        if (type !== FrameType.request) return;
        this.got.push({
          op: text(op),
          payload: text(payload),
          headers: new Map(),
          reply: (said) => answer(FrameType.reply, said),
          fail: (code, message) => answer(FrameType.error, `${code} ${message}`),
          hangUp: (why) => wire.hangUp(why),
          say: (bytes) => wire.say(bytes),
          get isCancelled() {
            return cancelled.has(low);
          },
        });
      },
    };
    const parser = new FrameParser(sink);
    const wire = new Wire((_, bytes) => parser.push(bytes));
    return wire;
  }
}

/** Reads what a link sends, which is always a head and a body of a length. */
export class HttpGuest extends Guest {
  /** Whether a connection may be used again. */
  keepsAlive = true;
  /** Whether it closes each connection after its answer without having said so. */
  closesSilently = false;
  readonly probed: string[] = [];
  probeStatus = 200;

  protected override wire(): Wire {
    let read = Buffer.alloc(0);
    return new Wire((wire, bytes) => {
      read = Buffer.concat([read, bytes]);
      for (;;) {
        const end = read.indexOf('\r\n\r\n');
        if (end < 0) return;
        const [first = '', ...fields] = read.toString('latin1', 0, end).split('\r\n');
        const headers = new Map(
          fields.map((field) => {
            const [name = '', value = ''] = field.split(': ');
            return [name, value];
          }),
        );
        const bodyEnd = end + 4 + Number(headers.get('content-length') ?? 0);
        if (read.length < bodyEnd) return;
        const payload = read.toString('latin1', end + 4, bodyEnd);
        read = read.subarray(bodyEnd);
        this.#take(wire, first, headers, payload);
      }
    });
  }

  #take(wire: Wire, first: string, headers: ReadonlyMap<string, string>, payload: string): void {
    const [method, path = ''] = first.split(' ');
    const answer = (status: number, body: string): void => {
      const close = this.keepsAlive ? '' : 'connection: close\r\n';
      wire.say(
        Buffer.from(`HTTP/1.1 ${status} Word\r\n${close}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
      );
      if (!this.keepsAlive) wire.hangUp('the guest closed the connection');
      if (this.closesSilently) setImmediate(() => wire.hangUp('the guest closed the connection'));
    };
    if (method === 'GET') {
      this.probed.push(path);
      if (this.answers) answer(this.probeStatus, 'well');
      return;
    }
    this.got.push({
      op: path.slice(1),
      payload,
      headers,
      reply: (body) => answer(200, body),
      fail: answer,
      hangUp: (why) => wire.hangUp(why),
      say: (bytes) => wire.say(bytes),
      get isCancelled() {
        return wire.isClosed;
      },
    });
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
