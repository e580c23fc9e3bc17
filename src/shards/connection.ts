import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type ActorSystem, addresseeOf, type ExitReason, type Ref, type Undelivered } from '../actors/mod.ts';
import { fromEnvelope, ShoalError } from '../errors.ts';
import { Exports } from './exports.ts';
import { Imports } from './imports.ts';
import { Outbox, WINDOW } from './outbox.ts';
import { type Parcel, pack, type RefBook, type Stowed, unpack } from './parcel.ts';
import { RemoteRef, type Way } from './remote-ref.ts';
import { type Batch, type Item, OP, type Op, PARTS, type RefAddress } from './wire.ts';

export interface ConnectionOptions {
  readonly port: MessagePort;
  readonly system: ActorSystem;
  /** What the other end is called in dead letters and errors. */
  readonly peer: string;
  /** The ref over there that stands for an actor placed here; undefined if there is none. */
  readonly placedIdOf: (ref: Ref<never>) => number | undefined;
  /** The actor that is meant by an id of a placed one: here the actor itself, there its stand-in. */
  readonly placed: (id: number) => Ref<never> | undefined;
  readonly onEvent: (news: unknown) => void;
  /** Told of each batch that comes: a sign of life. */
  readonly onHeard?: () => void;
  /** A ref that is no actor, and threw at what it was told. */
  readonly onDefect: (path: string, error: unknown) => void;
}

/** Say that messages were taken once so many have been: a request and its reply cost no third message. */
const ACKNOWLEDGE_EACH = WINDOW / 4;

/**
 * One end of the way between two threads: messages to actors over there, in order, at most once, all of one turn in one post. What
 * cannot be delivered is a dead letter on the side that knows.
 */
export class Connection implements Way, RefBook {
  readonly #options: ConnectionOptions;
  readonly #port: MessagePort;
  readonly #outbox: Outbox;
  readonly #exports = new Exports();
  readonly #imports: Imports;
  /** That of all refs of replies: each is used once, and forgotten. */
  readonly #replyPath: string;
  #closed: ExitReason | undefined;
  /** Messages taken that the other end has not been told of. */
  #taken = 0;
  #received = 0;
  #sent = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#replyPath = `${options.peer}?`;
    this.#outbox = new Outbox(options.port, (item) => this.#undelivered(item, 'dropped'));
    this.#imports = new Imports(this, (id, count) => this.#outbox.op({ op: 'release', id, count }));
    // Our own code at the other end is the only one that writes to this port.
    options.port.on('message', (batch: Batch) => this.#receive(batch));
  }

  get closed(): ExitReason | undefined {
    return this.#closed;
  }

  get unacknowledged(): number {
    return this.#outbox.unacknowledged;
  }

  get counts(): { readonly sent: number; readonly received: number; readonly refs: number } {
    return { sent: this.#sent, received: this.#received, refs: this.#exports.size };
  }

  get hasRoom(): boolean {
    return this.#outbox.hasRoom;
  }

  /** Resolves when the other end can take more, or is gone. */
  room(): Promise<void> {
    return this.#outbox.room();
  }

  /** @returns false if it was not taken; it is a dead letter then. @throws MESSAGE_NOT_PLAIN */
  tell(to: number, message: unknown, path: string): boolean {
    if (this.#closed !== undefined) return this.#refuse(path, message, 'stopped');
    if (!this.#outbox.hasRoom) return this.#refuse(path, message, 'mailbox-full');
    const parcel = pack(message, this);
    this.#sent += 1;
    this.#outbox.tell(to, parcel.message, parcel.stowed);
    return true;
  }

  news(news: unknown): void {
    this.#outbox.op({ op: 'news', news });
  }

  pack(message: unknown): Parcel {
    return pack(message, this);
  }

  unpack(parcel: Parcel): unknown {
    return unpack(parcel.message, parcel.stowed, this);
  }

  watch(ref: RemoteRef<never>, counts: boolean): void {
    this.#imports.watch(ref);
    this.#outbox.op({ op: 'watch', id: ref.id, counts });
  }

  unwatch(ref: RemoteRef<never>): void {
    this.#imports.unwatch(ref);
    this.#outbox.op({ op: 'unwatch', id: ref.id });
  }

  stop(id: number, timeoutMs: number | undefined): void {
    this.#outbox.op({ op: 'stop', id, timeoutMs });
  }

  addressOf(ref: Ref<never>): RefAddress {
    if (ref instanceof RemoteRef && ref.way === this) return ['yours', ref.id];
    const placed = this.#options.placedIdOf(ref);
    return placed === undefined ? this.#exports.addressOf(ref) : ['placed', placed];
  }

  refOf(address: RefAddress): Ref<never> {
    switch (address[0]) {
      case 'ref':
        return this.#imports.get(address[1], address[2]);
      case 'reply':
        return new RemoteRef(this, address[1], this.#replyPath);
      case 'yours':
        return this.#exports.get(address[1]) ?? this.#nobody(address[1]);
      case 'placed':
        return this.#options.placed(address[1]) ?? this.#nobody(address[1]);
    }
  }

  /** Posts at once what this turn has said so far. */
  flush(): void {
    this.#outbox.flush();
  }

  /** Takes what has come and has not been delivered yet: the last words of a thread that is gone. */
  drain(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      // As in the constructor.
      this.#receive(next.message as Batch);
    }
  }

  /** Nothing comes or goes from here on. Those who watch actors over there are told `reason`, and asks that wait for them fail. */
  close(reason: ExitReason): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const item of this.#outbox.close()) this.#undelivered(item, 'stopped');
    this.#port.close();
    this.#imports.close(reason);
    const { peer } = this.#options;
    this.#exports.close(
      reason.kind === 'error' ? fromEnvelope(reason.error) : new ShoalError('ACTOR_STOPPED', `${peer} has ended`),
    );
  }

  #receive(batch: Batch): void {
    if (this.#closed !== undefined) return;
    this.#options.onHeard?.();
    for (let index = 0; index < batch.length; index += PARTS) {
      // The parts of an item (`itemAt`), as `Outbox` has put them there.
      const to = batch[index] as number;
      // Only `Outbox.op` writes to that address; all others get messages.
      if (to === OP) this.#obey(batch[index + 1] as Op);
      // As above.
      else this.#deliver(to, unpack(batch[index + 1], batch[index + 2] as Stowed | undefined, this));
    }
    if (this.#taken < ACKNOWLEDGE_EACH) return;
    this.#outbox.op({ op: 'ack', count: this.#taken });
    this.#taken = 0;
  }

  #deliver(to: number, message: unknown): void {
    this.#taken += 1;
    this.#received += 1;
    const ref = to > 0 ? this.#exports.get(to) : this.#options.placed(to);
    if (ref === undefined) {
      // A reply that comes too late is nobody's loss; a placed actor that has ended is known by its number only.
      if (to < 0) this.#refuse(`${this.#options.peer}#${to}`, message, 'stopped');
      return;
    }
    try {
      // The sender knew what this actor understands.
      ref.tell(message as never);
    } catch (error) {
      this.#options.onDefect(ref.path, error);
    }
  }

  #obey(op: Op): void {
    switch (op.op) {
      case 'news':
        this.#options.onEvent(op.news);
        return;
      case 'ack':
        this.#outbox.acknowledged(op.count);
        return;
      case 'release':
        this.#exports.release(op.id, op.count);
        return;
      case 'watch':
        this.#exports.watch(op.id, op.counts, (exit) => this.#outbox.op({ op: 'ended', id: op.id, exit }));
        return;
      case 'unwatch':
        this.#exports.unwatch(op.id);
        return;
      case 'ended':
        this.#imports.ended(op.id, op.exit);
        return;
      case 'stop':
        this.#stopHere(op.id, op.timeoutMs);
        return;
    }
  }

  #stopHere(id: number, timeoutMs: number | undefined): void {
    const ref = this.#exports.get(id);
    if (ref === undefined) return;
    try {
      void addresseeOf(ref).shutdown(timeoutMs);
    } catch (error) {
      this.#options.onDefect(ref.path, error);
    }
  }

  #nobody(id: number): Ref<never> {
    const path = `${this.#options.peer}#${id}`;
    return { path, tell: (message) => this.#refuse(path, message, 'stopped') };
  }

  #undelivered([to, message]: Item, why: Undelivered): void {
    if (to !== OP) this.#refuse(`${this.#options.peer}#${to}`, message, why);
  }

  #refuse(to: string, message: unknown, why: Undelivered): false {
    const { system } = this.#options;
    system.deadLetters.add({ from: system.current ?? '-', to, message, why });
    return false;
  }
}
