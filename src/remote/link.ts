import type { ActorSystem, ExitReason, Ref, Undelivered } from '../actors/mod.ts';
import { fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import {
  type Channel,
  Delivery,
  Exports,
  Imports,
  type RefAddress,
  RemoteRef,
  RemoteReplyRef,
  Waiters,
} from '../refs/mod.ts';
import { reduced } from './envelope.ts';
import { type Data, type Item, OP } from './frame.ts';
import { MessageCodec, type RefTable } from './message-codec.ts';
import { deadEnd, unknownActor } from './nobody.ts';
import { type Op, opOf } from './ops.ts';
import { FRAME_BYTES, ITEM_BYTES, type OutboxLimits } from './outbox.ts';
import { Stream } from './stream.ts';

export interface LinkOptions {
  readonly system: ActorSystem;
  /** The other host. */
  readonly host: string;
  readonly limits: OutboxLimits;
  readonly payloadBytesMax: () => number;
  /** @returns whether there was a connection to send it over */
  readonly send: (frame: Pick<Data, 'seq' | 'ack' | 'isGap' | 'items'>) => boolean;
  /** The actor that this host offers under a name. */
  readonly exposed: (name: string) => Ref<never> | undefined;
  /** Something in a frame made no sense and was passed over. */
  readonly onDamaged: () => void;
}

/**
 * The link between two hosts in one epoch, as the actors of one of them use it. It carries messages to actors at the
 * other end, in order and at most once. What cannot be delivered is a dead letter at the end that finds out. Once it is
 * closed it stays closed, and so do all refs that came over it.
 */
export class Link implements Channel, RefTable {
  readonly #options: LinkOptions;
  readonly #stream: Stream;
  readonly #codec = new MessageCodec(this);
  readonly #exports = new Exports();
  readonly #imports: Imports;
  readonly #waiters = new Waiters();
  readonly #delivery: Delivery;
  /** The path of all refs of replies: each is used once and forgotten. */
  readonly #replyPath: string;
  #closed: ExitReason | undefined;
  /** The last number that a name was bound to. */
  #lastName = 0;
  #sent = 0;
  #received = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#replyPath = `${options.host}:?`;
    this.#imports = new Imports(this, (id, count) => this.#op({ op: 'release', id, count }));
    this.#delivery = new Delivery({
      onRoom: (id, hasRoom) => this.#op({ op: hasRoom ? 'room' : 'full', id }),
      refuse: (path, message) => this.refuse(path, message, 'mailbox-full'),
      // A ref that is no actor, or of a third host, has thrown at a message.
      onDefect: (path, error) => options.system.logFailure(path, toEnvelope(error)),
    });
    this.#stream = new Stream({
      clock: options.system.clock,
      limits: options.limits,
      payloadBytesMax: options.payloadBytesMax,
      send: (frame) => {
        if (options.send(frame)) this.#stream.outbox.left(frame.seq);
      },
      onItems: (items) => this.#take(items),
      onTaken: () => this.#wakeWaiting(),
    });
  }

  get stream(): Stream {
    return this.#stream;
  }

  get closed(): ExitReason | undefined {
    return this.#closed;
  }

  get unacknowledged(): number {
    return this.#stream.outbox.size;
  }

  get hasRoom(): boolean {
    return this.#stream.outbox.hasRoom;
  }

  get counts(): { readonly sent: number; readonly received: number; readonly refs: number } {
    return { sent: this.#sent, received: this.#received, refs: this.#exports.size };
  }

  onRoom(callback: () => void): () => void {
    return this.#waiters.add(callback);
  }

  /** The ref of the actor that the other host exposes under a name. */
  named(name: string): Ref<never> {
    this.#lastName -= 1;
    this.#op({ op: 'bind', id: this.#lastName, name });
    return this.#imports.get(this.#lastName, `${this.#options.host}:${name}`);
  }

  /** @returns false if the message was not taken and is a dead letter. @throws MESSAGE_NOT_PLAIN, MESSAGE_TOO_LARGE */
  tell(to: number, message: unknown, path: string, waits: boolean): boolean {
    if (this.#closed !== undefined) return this.refuse(path, message, 'stopped');
    if (this.#stream.outbox.isFull) return this.refuse(path, message, 'mailbox-full');
    const { bytes, given } = this.#codec.encode(message);
    const bytesMax = this.#options.payloadBytesMax() - FRAME_BYTES - ITEM_BYTES;
    if (bytes.length > bytesMax) {
      this.takeBack(given);
      throw this.#tooLarge(bytes.length, bytesMax, path);
    }
    this.#sent += 1;
    this.#stream.add({ to, waits, bytes });
    return true;
  }

  fail(id: number, error: Error): void {
    this.#op({ op: 'fail', id, error: toEnvelope(error) });
  }

  watch(ref: RemoteRef<never>, counts: boolean, again: boolean): void {
    this.#imports.watch(ref);
    this.#op({ op: 'watch', id: ref.id, counts, again });
  }

  unwatch(ref: RemoteRef<never>): void {
    this.#imports.unwatch(ref);
    this.#op({ op: 'unwatch', id: ref.id });
  }

  stop(id: number, timeoutMs = DEFAULT_TIMEOUT): void {
    // No limit at all cannot be told from a very long one.
    this.#op({ op: 'stop', id, timeoutMs: Math.min(timeoutMs, Number.MAX_SAFE_INTEGER) });
  }

  /** A link between hosts is as direct as can be. */
  askRoute(): undefined {
    return undefined;
  }

  addressOf(ref: Ref<never>): RefAddress {
    return ref instanceof RemoteRef && ref.channel === this ? ['yours', ref.id] : this.#exports.addressOf(ref);
  }

  takeBack(given: readonly RefAddress[]): void {
    // The ref of a reply is forgotten with its ask.
    for (const [kind, id] of given) if (kind === 'ref') this.#exports.release(id, 1);
  }

  refOf(address: RefAddress): Ref<never> {
    switch (address[0]) {
      case 'ref':
        return this.#imports.get(address[1], `${this.#options.host}:${address[2]}`);
      case 'reply':
        return new RemoteReplyRef(this, address[1], this.#replyPath);
      case 'yours':
        return this.#exports.get(address[1]) ?? this.#nobody(address[1]);
      case 'placed':
        throw new TypeError('hosts place no actors on each other');
    }
  }

  /** Takes what the other end has sent. */
  receive(frame: Data): void {
    this.#stream.receive(frame);
  }

  /**
   * Watchers of actors at the other end are told `reason`, and asks that wait for those actors fail.
   * @param taken the last frame that the other end has taken, if it has said so
   */
  close(reason: ExitReason, taken: number): void {
    if (this.#closed !== undefined) return;
    this.#stream.acknowledged(taken);
    this.#closed = reason;
    const { mayHaveArrived, unsent } = this.#stream.close();
    this.#lost(mayHaveArrived, 'lost');
    this.#lost(unsent, 'stopped');
    this.#wakeWaiting();
    this.#imports.close(reason);
    const { host } = this.#options;
    this.#exports.close(
      reason.kind === 'error' ? fromEnvelope(reason.error) : new ShoalError('HOST_LOST', `Host ${host} is gone`),
    );
  }

  /** Makes a dead letter of a message. */
  refuse(to: string, message: unknown, why: Undelivered): false {
    const { system } = this.#options;
    system.deadLetters.add({ from: system.current ?? '-', to, message, why });
    return false;
  }

  #lost(count: number, why: Undelivered): void {
    if (count === 0) return;
    const message = why === 'lost' ? 'messages that may have arrived' : 'messages that never left';
    this.#options.system.deadLetters.add({ from: '-', to: `${this.#options.host}:`, message, why, count });
  }

  #op(op: Op): void {
    if (this.#closed !== undefined) return;
    this.#stream.add({ to: OP, waits: false, bytes: this.#opBytes(op) });
  }

  /** Never throws: nobody may miss an operation because of what stands in an error. */
  #opBytes(op: Op): Uint8Array {
    try {
      const { bytes } = this.#codec.encode(op);
      // An error has no limit, and what does not fit into a frame would stop the link.
      if (bytes.length <= OP_BYTES_MAX) return bytes;
    } catch {
      // Only details of an error have keys or a depth that cannot cross.
    }
    return this.#codec.encode(shortened(op)).bytes;
  }

  #wakeWaiting(): void {
    if (this.hasRoom || this.#closed !== undefined) this.#waiters.wakeAll();
  }

  #take(items: readonly Item[]): void {
    for (const item of items) {
      // A message may end the link.
      if (this.#closed !== undefined) return;
      const taken = this.#decoded(item);
      if (taken === undefined) continue;
      if (item.to === OP) this.#obey(taken.op);
      else this.#deliver(item, taken.message);
    }
  }

  #decoded({ to, bytes }: Item): { readonly op: Op | undefined; readonly message: unknown } | undefined {
    try {
      const message = this.#codec.decode(bytes);
      return { message, op: to === OP ? opOf(message) : undefined };
    } catch {
      this.#options.onDamaged();
      return undefined;
    }
  }

  #deliver({ to, waits }: Item, message: unknown): void {
    this.#received += 1;
    const ref = this.#exports.get(to);
    if (ref === undefined) {
      this.refuse(`${this.#options.host}#${to}`, message, this.#exports.whyGone(to));
      return;
    }
    this.#delivery.deliver(to, ref, message, waits);
  }

  #obey(op: Op | undefined): void {
    switch (op?.op) {
      case undefined:
        return;
      case 'bind':
        this.#exports.bind(op.id, this.#exposed(op.name));
        return;
      case 'release':
        this.#exports.release(op.id, op.count);
        return;
      case 'watch':
        this.#exports.watch(op.id, op, ({ path, reason }, isRepeated) => {
          this.#op({ op: 'ended', id: op.id, path, reason, isRepeated });
        });
        return;
      case 'unwatch':
        this.#exports.unwatch(op.id);
        return;
      case 'ended': {
        const { host } = this.#options;
        this.#imports.ended(op.id, { path: `${host}:${op.path}`, reason: op.reason }, op.isRepeated);
        return;
      }
      case 'stop':
        this.#exports.stop(op.id, op.timeoutMs === DEFAULT_TIMEOUT ? undefined : op.timeoutMs, (path, error) =>
          this.#options.system.logFailure(path, toEnvelope(error)),
        );
        return;
      case 'fail':
        this.#exports.fail(op.id, fromEnvelope(op.error));
        return;
      case 'full':
      case 'room':
        this.#imports.onRoom(op.id, op.op === 'room');
        return;
    }
  }

  #exposed(name: string): Ref<never> {
    return this.#options.exposed(name) ?? deadEnd(name, unknownActor(name), this.#options.system);
  }

  #nobody(id: number): Ref<never> {
    const error = new ShoalError('ACTOR_STOPPED', `Nobody is behind number ${id}`);
    return deadEnd(`${this.#options.host}#${id}`, error, this.#options.system);
  }

  #tooLarge(bytes: number, bytesMax: number, path: string): ShoalError {
    const remedy = 'Send less at a time, or set a higher max_payload at the NATS server';
    const text = `Expected a message of at most ${bytesMax} bytes to ${path}, got ${bytes} bytes. ${remedy}`;
    return new ShoalError('MESSAGE_TOO_LARGE', text, { details: { bytes, bytesMax, path } });
  }
}

/** Beyond it, an operation goes without the details of its error. */
const OP_BYTES_MAX = 16 * 1024;

function shortened(op: Op): Op {
  if (op.op === 'fail') return { ...op, error: reduced(op.error) };
  if (op.op !== 'ended' || op.reason.kind !== 'error') return op;
  return { ...op, reason: { ...op.reason, error: reduced(op.reason.error) } };
}

/** The actor's own limit. */
const DEFAULT_TIMEOUT = -1;
