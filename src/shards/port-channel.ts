import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import {
  type ActorSystem,
  addresseeOf,
  type ExitReason,
  goingWith,
  offerTo,
  type Ref,
  type Tracing,
  takesOffers,
  type Undelivered,
} from '../actors/mod.ts';
import { fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { type Channel, Exports, Imports, type RefAddress, RemoteRef, RemoteReplyRef } from '../refs/mod.ts';
import { BatchWriter, WINDOW } from './batch-writer.ts';
import { HeldBatches } from './held-batches.ts';
import { decode, type EncodedMessage, encode, idsIn, type RefTable } from './message-codec.ts';
import type { Tally } from './tally.ts';
import { inContextOf } from './trace-context.ts';
import { type Batch, type Extras, type Item, OP, type Op, PARTS } from './wire.ts';

export interface ChannelOptions {
  readonly port: MessagePort;
  readonly system: ActorSystem;
  /** The name of the other end in dead letters and errors. */
  readonly peer: string;
  /** The id of an actor that the other end has placed here; undefined for any other. */
  readonly placedIdOf: (ref: Ref<never>) => number | undefined;
  /** The actor with the id of a placed one: on a shard the actor itself, on the main thread its proxy. */
  readonly placed: (id: number) => Ref<never> | undefined;
  readonly onEvent: (event: unknown) => void;
  /** Told of each batch that arrives: a sign of life. */
  readonly onHeard?: () => void;
  /** Counts what happens to messages, if this end is a shard's. Such an end takes no messages while it cannot send any. */
  readonly tally?: Tally;
  /** The mailbox of a placed actor at the other end is full, or has room again. */
  readonly onRoom?: (id: number, hasRoom: boolean) => void;
  /** A ref that is no actor has thrown at a message. */
  readonly onDefect: (path: string, error: unknown) => void;
}

/** Messages are acknowledged in groups of this size, so that a request and its reply cost no third message. */
const ACKNOWLEDGE_EACH = WINDOW / 4;

/**
 * One end of a channel between two threads. It carries messages to actors at the other end, in order and at most once;
 * everything that is sent in one turn goes in one post. What cannot be delivered is a dead letter at the end that
 * finds out.
 */
export class PortChannel implements Channel, RefTable {
  readonly #options: ChannelOptions;
  readonly #port: MessagePort;
  readonly #writer: BatchWriter;
  readonly #exports = new Exports();
  readonly #imports: Imports;
  /** The path of all refs of replies: each is used once and forgotten. */
  readonly #replyPath: string;
  #closed: ExitReason | undefined;
  /** Messages received but not acknowledged yet. */
  #taken = 0;
  #received = 0;
  #sent = 0;
  /** Messages that wait for room in the mailbox of an actor, by its id. */
  readonly #waiting = new Map<number, number>();
  readonly #held = new HeldBatches();

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#replyPath = `${options.peer}?`;
    this.#writer = new BatchWriter(options.port, (item, error) => this.#notPosted(item, error));
    this.#imports = new Imports(this, (id, count) => this.#writer.op({ op: 'release', id, count }));
    // Only the `PortChannel` at the other end writes to this port.
    options.port.on('message', (batch: Batch) => this.#receive(batch));
  }

  get closed(): ExitReason | undefined {
    return this.#closed;
  }

  get tracing(): Tracing | undefined {
    return this.#options.system.tracing;
  }

  get unacknowledged(): number {
    return this.#writer.unacknowledged;
  }

  get counts(): { readonly sent: number; readonly received: number; readonly refs: number } {
    return { sent: this.#sent, received: this.#received, refs: this.#exports.size };
  }

  get hasRoom(): boolean {
    return this.#writer.hasRoom;
  }

  /** Resolves when the other end can take more, or is gone. */
  room(): Promise<void> {
    return this.#writer.room();
  }

  /** While there is no room: calls back once there is, or the other end is gone. @returns how to cancel it */
  onRoom(callback: () => void): () => void {
    return this.#writer.onRoom(callback);
  }

  /** @returns false if the message was not taken and is a dead letter. @throws MESSAGE_NOT_PLAIN */
  tell(to: number, message: unknown, path: string, waits: boolean): boolean {
    if (this.#closed !== undefined) return this.refuse(path, message, 'stopped');
    if (this.#writer.isFull) return this.refuse(path, message, 'mailbox-full');
    const going = goingWith(message);
    const encoded = encode(message, this, going);
    if (going.moved.length === 0) this.#writer.message(to, encoded.message, encoded.extras, waits);
    else this.#tellNow([to, encoded.message, encoded.extras, waits], going.moved);
    this.#sent += 1;
    this.#options.tally?.addTold();
    return true;
  }

  /** @throws MESSAGE_NOT_PLAIN */
  #tellNow(item: Item, moved: readonly ArrayBuffer[]): void {
    try {
      this.#writer.messageNow(item, moved);
    } catch (cause) {
      this.#forget(item[2], cause);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ShoalError('MESSAGE_NOT_PLAIN', `The buffers of the message cannot be transferred: ${why}`, { cause });
    }
  }

  fail(id: number, error: Error): void {
    this.#writer.op({ op: 'fail', id, error: toEnvelope(error) });
  }

  /** Tells the owner of the other end something, in order with the messages. */
  sendEvent(event: unknown): void {
    this.#writer.op({ op: 'event', event });
  }

  /**
   * Makes data that is no message ready to cross, such as arguments. It is copied, because it is needed again at the next start.
   * @param what how errors name it
   * @throws MESSAGE_NOT_PLAIN
   */
  encode(data: unknown, what: string): EncodedMessage {
    if (goingWith(data).moved.length > 0) {
      const why = 'because the next start needs them too. Pass a copy without `transfer`';
      throw new ShoalError('MESSAGE_NOT_PLAIN', `Expected ${what} to have no buffers that move, ${why}`);
    }
    const encoded = encode(data, this);
    try {
      // It may seem to be plain and not be: an array can have functions beside its items.
      return structuredClone(encoded);
    } catch (cause) {
      const text = `Expected ${what} to be plain data and refs: ${toEnvelope(cause).message}`;
      throw new ShoalError('MESSAGE_NOT_PLAIN', text, { cause });
    }
  }

  decode({ message, extras }: EncodedMessage): unknown {
    return decode(message, extras, this);
  }

  watch(ref: RemoteRef<never>, counts: boolean, again: boolean): void {
    this.#imports.watch(ref);
    this.#writer.op({ op: 'watch', id: ref.id, counts, again });
  }

  unwatch(ref: RemoteRef<never>): void {
    this.#imports.unwatch(ref);
    this.#writer.op({ op: 'unwatch', id: ref.id });
  }

  stop(id: number, timeoutMs: number | undefined): void {
    this.#writer.op({ op: 'stop', id, timeoutMs });
  }

  addressOf(ref: Ref<never>): RefAddress {
    if (ref instanceof RemoteRef && ref.channel === this) return ['yours', ref.id];
    const placed = this.#options.placedIdOf(ref);
    return placed === undefined ? this.#exports.addressOf(ref) : ['placed', placed];
  }

  refOf(address: RefAddress): Ref<never> {
    switch (address[0]) {
      case 'ref':
        return this.#imports.get(address[1], address[2]);
      case 'reply':
        return new RemoteReplyRef(this, address[1], this.#replyPath);
      case 'yours':
        return this.#exports.get(address[1]) ?? this.#nobody(address[1]);
      case 'placed':
        return this.#options.placed(address[1]) ?? this.#nobody(address[1]);
    }
  }

  /** Posts what this turn has sent so far. */
  flush(): void {
    this.#writer.flush();
  }

  /** Receives what has arrived but was not delivered yet, such as the last messages of a thread that is gone. */
  drain(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      // As in the constructor.
      this.#receive(next.message as Batch);
    }
  }

  /**
   * Closes the channel. Watchers of actors at the other end are told `reason`, and asks that wait for those actors
   * fail.
   */
  close(reason: ExitReason): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const item of this.#writer.close()) this.#undelivered(item, 'stopped');
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
    if (this.#held.isEmpty && this.#mayTake) this.#take(batch);
    else this.#hold(batch);
  }

  /** A shard that cannot send takes nothing: it would only make more that it cannot send. */
  get #mayTake(): boolean {
    return this.#options.tally === undefined || this.#writer.hasRoom;
  }

  /** Acknowledgements are what gives room again, and do not wait. */
  #hold(batch: Batch): void {
    const isFirst = this.#held.isEmpty;
    this.#held.add(batch, (count) => this.#writer.acknowledged(count));
    if (isFirst) void this.#takeHeld();
  }

  async #takeHeld(): Promise<void> {
    for (let batch = this.#held.first; batch !== undefined; batch = this.#held.first) {
      if (this.#closed !== undefined) return;
      if (!this.#mayTake) {
        await this.#writer.room();
        continue;
      }
      this.#held.shift();
      this.#take(batch);
    }
  }

  #take(batch: Batch): void {
    for (let index = 0; index < batch.length; index += PARTS) {
      // The parts of an item (`itemAt`), as `BatchWriter` has put them there.
      const to = batch[index] as number;
      // Only `BatchWriter.op` writes to that address; all others get messages.
      if (to === OP) this.#obey(batch[index + 1] as Op);
      // As above.
      else this.#arrive(to, batch[index + 1], batch[index + 2] as Extras | undefined, batch[index + 3] === true);
    }
    if (this.#taken < ACKNOWLEDGE_EACH) return;
    this.#writer.op({ op: 'ack', count: this.#taken });
    this.#taken = 0;
  }

  #arrive(to: number, message: unknown, extras: Extras | undefined, waits: boolean): void {
    const { tracing } = this;
    const deliver = (): void => this.#deliver(to, decode(message, extras, this), waits);
    if (tracing === undefined) deliver();
    else inContextOf(extras, tracing, deliver);
  }

  #deliver(to: number, message: unknown, waits: boolean): void {
    const { tally } = this.#options;
    this.#taken += 1;
    this.#received += 1;
    tally?.beginReceived();
    this.#deliverTo(to, message, waits);
    tally?.addReceived();
  }

  #deliverTo(to: number, message: unknown, waits: boolean): void {
    const ref = to > 0 ? this.#exports.get(to) : this.#options.placed(to);
    if (ref === undefined) {
      // Only numbers are known of an ask that has ended, and of a placed actor.
      this.refuse(`${this.#options.peer}#${to}`, message, to < 0 ? 'stopped' : 'late-reply');
      return;
    }
    try {
      if (waits && takesOffers(ref)) this.#deliverWaiting(to, ref, message);
      // The sender had the ref's type.
      else ref.tell(message as never);
    } catch (error) {
      this.#options.onDefect(ref.path, error);
    }
  }

  /** The message is not refused for want of room: it waits for it, and so does whoever sends more. */
  #deliverWaiting(to: number, ref: Ref<never>, message: unknown): void {
    const waiting = this.#waiting.get(to) ?? 0;
    if (waiting === 0 && hasRoom(ref)) {
      // The sender had the ref's type.
      ref.tell(message as never);
      return;
    }
    if (waiting === 0) this.#writer.op({ op: 'full', id: to });
    this.#waiting.set(to, waiting + 1);
    // It waits as in a mailbox.
    this.#options.tally?.addPushed();
    const done = (): void => {
      this.#options.tally?.addShifted();
      const left = (this.#waiting.get(to) ?? 1) - 1;
      if (left > 0) {
        this.#waiting.set(to, left);
        return;
      }
      this.#waiting.delete(to);
      this.#writer.op({ op: 'room', id: to });
    };
    // As above.
    offerTo<never>(ref, message as never).then(done, (error: unknown) => {
      this.#options.onDefect(ref.path, error);
      done();
    });
  }

  #obey(op: Op): void {
    switch (op.op) {
      case 'event':
        this.#options.onEvent(op.event);
        return;
      case 'ack':
        this.#writer.acknowledged(op.count);
        return;
      case 'release':
        this.#exports.release(op.id, op.count);
        return;
      case 'watch':
        this.#exports.watch(op.id, op, (exit, isRepeated) => {
          this.#writer.op({ op: 'ended', id: op.id, exit, isRepeated });
        });
        return;
      case 'unwatch':
        this.#exports.unwatch(op.id);
        return;
      case 'ended':
        this.#imports.ended(op.id, op.exit, op.isRepeated);
        return;
      case 'stop':
        this.#stopHere(op.id, op.timeoutMs);
        return;
      case 'fail':
        this.#exports.fail(op.id, fromEnvelope(op.error));
        return;
      case 'full':
      case 'room':
        if (op.id > 0) this.#imports.onRoom(op.id, op.op === 'room');
        else this.#options.onRoom?.(op.id, op.op === 'room');
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

  /** A ref whose messages are dead letters. */
  #nobody(id: number): Ref<never> {
    const path = `${this.#options.peer}#${id}`;
    return { path, tell: (message) => this.refuse(path, message, 'stopped') };
  }

  /** It could be cloned when it was checked, or seemed so. */
  #notPosted(item: Item, cause: unknown): void {
    // It was counted as sent. It is a dead letter now, and not one of those that are lost when a thread ends.
    this.#sent -= 1;
    this.#options.tally?.takeTold();
    this.#undelivered(item, 'dropped');
    this.#forget(item[2], cause);
  }

  /** Whoever waits for a reply need not wait on. The other end will not release the refs that it does not get. */
  #forget(extras: Extras | undefined, cause: unknown): void {
    for (const id of idsIn('ref', extras)) this.#exports.release(id, 1);
    for (const id of idsIn('reply', extras)) {
      const text = `The request could not be cloned: ${toEnvelope(cause).message}`;
      this.#exports.fail(id, new ShoalError('MESSAGE_NOT_PLAIN', text, { cause }));
    }
  }

  #undelivered([to, message]: Item, why: Undelivered): void {
    this.refuse(`${this.#options.peer}#${to}`, message, why);
  }

  /** Makes a dead letter of a message. */
  refuse(to: string, message: unknown, why: Undelivered): false {
    const { system } = this.#options;
    system.deadLetters.add({ from: system.current ?? '-', to, message, why });
    return false;
  }
}

/** Whether an actor takes a message now. */
function hasRoom(ref: Ref<never>): boolean {
  const { depth, capacity } = ref as Ref<never> & { readonly depth?: number; readonly capacity?: number };
  return depth === undefined || capacity === undefined || depth < capacity;
}
