import { type Msg, MsgHdrsImpl, type NatsConnection, type SubscriptionOptions } from 'nats';
import type { Connection } from '../transport/mod.ts';
import type { NatsPeer, NatsSubscriber, SimulatedMessage, SimulatedNats } from './nats-server.ts';
import type { SimulatedProcess } from './process.ts';

interface PublishOptions {
  readonly reply?: string;
  readonly headers?: { encode(): Uint8Array };
}

interface Status {
  readonly type: 'disconnect' | 'reconnect';
  readonly data: string;
}

const SERVER = 'simulated:4222';
const RECONNECT_MS = 50;
const encoder = new TextEncoder();

/**
 * The part of nats.js that Shoal and its client use. As there, messages that are published while the connection is lost are sent when it is
 * back, and what was on its way to the client is lost with the connection.
 */
export class SimulatedConnection implements NatsPeer {
  readonly process: SimulatedProcess;
  readonly #server: SimulatedNats;
  readonly #subscriptions = new Set<SimulatedSubscription>();
  readonly #closed = Promise.withResolvers<undefined>();
  readonly #readers: ((status: Status) => void)[] = [];
  readonly #flushes: PromiseWithResolvers<void>[] = [];
  /** Flushes that the server has not answered. */
  readonly #onTheWay: PromiseWithResolvers<void>[] = [];
  #outbox: SimulatedMessage[] = [];
  #state: 'up' | 'lost' | 'closed' = 'up';
  /** The process has not read yet that its connection is lost: what it sends meanwhile is lost too. */
  #isUnread = false;
  #isDraining = false;
  life = 0;

  constructor(server: SimulatedNats, process: SimulatedProcess) {
    this.#server = server;
    this.process = process;
    server.attach(this);
    process.onDeath(() => this.#end());
    if (!server.reaches(process)) this.#state = 'lost';
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  get info(): { readonly max_payload: number } {
    return { max_payload: this.#server.payloadBytesMax };
  }

  getServer(): string {
    return SERVER;
  }

  isClosed(): boolean {
    return this.#state === 'closed';
  }

  isDraining(): boolean {
    return this.#isDraining;
  }

  subscribe(pattern: string, options: SubscriptionOptions): SimulatedSubscription {
    this.#mustBeOpen();
    const subscription = new SimulatedSubscription(this, pattern, options, () => {
      this.#subscriptions.delete(subscription);
      this.#server.remove(subscription);
    });
    this.#subscriptions.add(subscription);
    this.#server.add(subscription);
    return subscription;
  }

  publish(
    subject: string,
    data: Uint8Array | string = new Uint8Array(),
    { reply, headers }: PublishOptions = {},
  ): void {
    this.#mustBeOpen();
    const bytes = typeof data === 'string' ? encoder.encode(data) : data;
    const message = { subject, reply, data: bytes, headers: headers?.encode() };
    if (this.#state === 'up') this.#server.publish(message, this);
    else if (!this.#isUnread) this.#outbox.push(message);
  }

  /** As there, it rejects if the connection is lost meanwhile. */
  flush(): Promise<void> {
    this.#mustBeOpen();
    const flushed = Promise.withResolvers<void>();
    if (this.#isUnread) this.#onTheWay.push(flushed);
    else this.#flushes.push(flushed);
    if (this.isUp) this.#flushAll();
    return flushed.promise;
  }

  closed(): Promise<undefined> {
    return this.#closed.promise;
  }

  async *status(): AsyncGenerator<Status> {
    // As there, each that reads has a queue of its own: two events in a row are two.
    const queue: Status[] = [];
    let wake = (): void => undefined;
    this.#readers.push((status) => {
      queue.push(status);
      wake();
    });
    for (;;) {
      const status = queue.shift();
      if (status !== undefined) yield status;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.flush().catch(() => undefined);
    await this.close();
  }

  async close(): Promise<void> {
    this.#end();
    this.#closed.resolve(undefined);
  }

  lose(): void {
    if (this.#state !== 'up') return;
    this.#state = 'lost';
    this.life += 1;
    this.#isUnread = true;
    this.process.gate(() => {
      this.#isUnread = false;
      this.#tell({ type: 'disconnect', data: SERVER });
      for (const { reject } of this.#onTheWay.splice(0)) reject(new Error('DISCONNECT'));
    });
  }

  /** What has not left is forgotten, and the connection is made anew if there is a way. */
  reset(): void {
    this.lose();
    this.process.later(RECONNECT_MS, () => this.#reconnect());
  }

  /** It is the process that connects: while it stands still, it does not. */
  reconnect(): void {
    this.process.gate(() => this.#reconnect());
  }

  #reconnect(): void {
    if (this.#state !== 'lost' || !this.#server.reaches(this.process)) return;
    this.#state = 'up';
    this.#tell({ type: 'reconnect', data: SERVER });
    const waiting = this.#outbox;
    this.#outbox = [];
    for (const message of waiting) this.#server.publish(message, this);
    this.#flushAll();
  }

  #flushAll(): void {
    for (const flushed of this.#flushes.splice(0)) {
      this.#onTheWay.push(flushed);
      this.#server.flush(this, () => {
        const at = this.#onTheWay.indexOf(flushed);
        if (at !== -1) this.#onTheWay.splice(at, 1);
        flushed.resolve();
      });
    }
  }

  #tell(status: Status): void {
    for (const read of this.#readers) read(status);
  }

  #end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.life += 1;
    for (const subscription of [...this.#subscriptions]) subscription.unsubscribe();
    this.#server.detach(this);
  }

  #mustBeOpen(): void {
    if (this.#state === 'closed') throw new Error('CONNECTION_CLOSED');
  }
}

class SimulatedSubscription implements NatsSubscriber {
  readonly connection: SimulatedConnection;
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly #callback: NonNullable<SubscriptionOptions['callback']>;
  readonly #closed = Promise.withResolvers<void>();
  readonly #remove: () => void;
  #isClosed = false;

  constructor(
    connection: SimulatedConnection,
    pattern: string,
    { queue, callback }: SubscriptionOptions,
    remove: () => void,
  ) {
    if (callback === undefined) throw new Error(`the subscription to ${pattern} has no callback`);
    this.connection = connection;
    this.pattern = pattern;
    this.queue = queue;
    this.#callback = callback;
    this.#remove = remove;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  receive(message: SimulatedMessage): void {
    // The part of a message that Shoal reads.
    if (!this.#isClosed) this.#callback(null, new ReceivedMessage(message, this.connection) as unknown as Msg);
  }

  unsubscribe(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#remove();
    this.#closed.resolve();
  }

  async drain(): Promise<void> {
    await this.connection.flush().catch(() => undefined);
    this.unsubscribe();
  }
}

/** A message as nats.js hands it over. It decodes headers when they are asked for. */
class ReceivedMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly data: Uint8Array;
  /** Where `headerBytes` of the transport finds the undecoded headers. */
  readonly _rdata: Uint8Array;
  readonly _msg: { readonly hdr: number };
  readonly #connection: SimulatedConnection;

  constructor({ subject, reply, data, headers }: SimulatedMessage, connection: SimulatedConnection) {
    this.subject = subject;
    this.reply = reply;
    this.data = data;
    this._rdata = headers ?? NO_BYTES;
    this._msg = { hdr: this._rdata.length };
    this.#connection = connection;
  }

  get headers(): MsgHdrsImpl | undefined {
    return this._rdata.length === 0 ? undefined : MsgHdrsImpl.decode(this._rdata);
  }

  respond(data?: Uint8Array | string): boolean {
    if (this.reply === undefined) return false;
    this.#connection.publish(this.reply, data);
    return true;
  }
}

const NO_BYTES = new Uint8Array();

/** The connection as the transport's `connect` gives it. */
export function connectionOf(simulated: SimulatedConnection): Connection {
  return {
    // Shoal and its client use no other part of nats.js.
    nc: simulated as unknown as NatsConnection,
    shown: SERVER,
    // At its address there is no other server.
    reconnect: () => undefined,
    reset: () => simulated.reset(),
    close: async () => simulated.close(),
  };
}
