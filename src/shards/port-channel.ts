import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type ExitReason, goingWith, type Ref, ReplyRef, type Tracing, type Undelivered } from '../actors/mod.ts';
import { fromEnvelope, messageOf, ShoalError, toEnvelope } from '../errors.ts';
import { type Channel, Delivery, Exports, endedFirst, Imports, RemoteRef, RemoteReplyRef } from '../refs/mod.ts';
import { BatchWriter, WINDOW } from './batch-writer.ts';
import type { ChannelOptions } from './channel-options.ts';
import { Intake } from './intake.ts';
import { decode, type EncodedMessage, encode, idsIn, type RefTable } from './message-codec.ts';
import { inContextOf } from './trace-context.ts';
import { type Batch, type Extras, type Item, type LinkOp, OP, type Op, type RefAddress, type Relayed } from './wire.ts';

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
  readonly #exports: Exports;
  readonly #imports: Imports;
  /** The path of all refs of replies: each is used once and forgotten. */
  readonly #replyPath: string;
  #closed: ExitReason | undefined;
  /** Messages received but not acknowledged yet. */
  #taken = 0;
  #received = 0;
  #sent = 0;
  readonly #intake: Intake;
  readonly #delivery: Delivery;
  #marked = 0;
  #questions = 0;
  #isMarked = true;
  /** Refs that this channel could not name, so far. */
  #strangers = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#replyPath = `${options.peer}?`;
    this.#writer = new BatchWriter(options.port, (item, error) => this.#notPosted(item, error));
    this.#exports = new Exports(options.onExport);
    this.#imports = new Imports(this, (id, count) => this.#writer.op({ op: 'release', id, count }));
    this.#delivery = new Delivery({
      onRoom: (id, hasRoom) => this.#writer.op({ op: hasRoom ? 'room' : 'full', id }),
      refuse: (path, message) => this.refuse(path, message, 'mailbox-full'),
      onDefect: options.onDefect,
    });
    this.#intake = new Intake({
      deliver: (to, message, extras, waits) => this.#arrive(to, message, extras, waits, this),
      obey: (op) => this.#obey(op),
      onTaken: () => this.#acknowledge(),
      mayTake: options.mayTake,
      onMayTake: options.onMayTake,
      waitFor: options.waitFor,
    });
    // Only the `PortChannel` at the other end writes to this port.
    options.port.on('message', (batch: Batch) => this.#receive(batch));
    if (options.relay !== undefined) options.port.on('close', () => this.#cut());
  }

  get closed(): ExitReason | undefined {
    return this.#closed;
  }

  get tally(): Channel['tally'] {
    return this.#options.tally;
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

  /** While there is no room: calls back once there is, or the other end is gone. @returns how to cancel it */
  onRoom(callback: () => void): () => void {
    return this.#writer.onRoom(callback);
  }

  /** @returns false if the message was not taken and is a dead letter. @throws MESSAGE_NOT_PLAIN */
  tell(to: number, message: unknown, path: string, waits: boolean): boolean {
    if (this.#closed !== undefined) return this.refuse(path, message, 'stopped');
    if (this.#writer.isFull) return this.refuse(path, message, 'mailbox-full');
    const going = goingWith(message);
    const strangers = this.#strangers;
    const encoded = encode(message, this, going);
    if (this.#strangers > strangers && this.#options.relay !== undefined) {
      this.#writer.countedOp(this.#options.relay(to, message, waits));
    } else if (going.moved.length === 0) this.#writer.message(to, encoded.message, encoded.extras, waits);
    else this.#tellNow([to, encoded.message, encoded.extras, waits], going.moved);
    this.#sent += 1;
    this.#isMarked = false;
    this.#options.tally?.addTold();
    return true;
  }

  /** @throws MESSAGE_NOT_PLAIN */
  #tellNow(item: Item, moved: readonly ArrayBuffer[]): void {
    try {
      this.#writer.messageNow(item, moved);
    } catch (cause) {
      this.takeBack(item[2], cause);
      const why = messageOf(cause);
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

  /** Sends an op about the channels of shards, in order with the messages. @param moved is given away with it */
  link(op: LinkOp, moved: readonly (ArrayBuffer | MessagePort)[] = []): void {
    this.#isMarked = false;
    if (moved.length === 0) this.#writer.op(op);
    else this.#writer.opNow(op, moved);
  }

  /** The refs of the other end that messages can go another way to. */
  get routes(): Pick<Imports, 'mayRoute' | 'route' | 'unroute' | 'onRoom'> {
    return this.#imports;
  }

  askRoute(id: number): number {
    this.#questions += 1;
    this.link({ op: 'ask-route', id, ask: this.#questions });
    return this.#questions;
  }

  /** The ref of this end that the other end knows under a number. */
  exportedAs(id: number): Ref<never> | undefined {
    return this.#exports.get(id);
  }

  /** Marks the place after all that was sent before. @returns the number of the mark */
  mark(): number {
    if (!this.#isMarked) {
      this.#isMarked = true;
      this.#marked += 1;
      this.#writer.op({ op: 'mark', n: this.#marked });
    }
    return this.#marked;
  }

  /** Whether nothing was sent after the last mark. */
  get isMarked(): boolean {
    return this.#isMarked;
  }

  /** What comes next to the other end comes after the `n`-th mark of another channel there. */
  after(thread: number | 'main', n: number): void {
    this.#writer.op({ op: 'after', thread, n });
  }

  /** Resolves when a mark of the other end has been reached; undefined if it has been, or never will be. */
  reached(n: number): Promise<void> | undefined {
    return this.#intake.marks.reached(n);
  }

  /** Delivers a message that came by another way, whose refs `refs` knows. */
  deliverRelayed({ to, message, extras, waits, failed }: Relayed, refs: RefTable): void {
    if (failed === undefined) {
      this.#arrive(to, message, extras, waits, refs);
      return;
    }
    this.#beginReceived();
    const error = new ShoalError('MESSAGE_NOT_PLAIN', `The sender has sent ${failed.why}`);
    this.refuse(`${this.#options.peer}#${to}`, failed.why, 'invalid', error);
    this.#options.tally?.addReceived();
    for (const id of failed.replies) this.fail(id, error);
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
      this.takeBack(encoded.extras, cause);
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
    if (this.#options.relay !== undefined && !(ref instanceof ReplyRef)) {
      this.#strangers += 1;
      return ['yours', 0];
    }
    const placed = this.#options.placedIdOf(ref);
    return placed === undefined ? this.#exports.addressOf(ref) : ['placed', placed];
  }

  refOf(address: RefAddress): Ref<never> {
    switch (address[0]) {
      case 'ref':
        return this.#imports.get(address[1], address[2]);
      case 'reply':
      case 'direct-reply':
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

  /** Receives all that has arrived, whatever it waits for: it will not come any more. */
  drainHeld(): void {
    this.#cut();
    this.drain();
    this.#intake.takeAll();
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
    for (const [to, message] of this.#writer.close()) this.refuse(`${this.#options.peer}#${to}`, message, 'stopped');
    this.#port.close();
    this.#intake.close();
    this.#imports.close(reason);
    const { peer, relay } = this.#options;
    const error =
      reason.kind === 'error' ? fromEnvelope(reason.error) : new ShoalError('ACTOR_STOPPED', `${peer} has ended`);
    this.#exports.close(relay === undefined ? error : endedFirst(error));
  }

  #receive(batch: Batch): void {
    if (this.#closed !== undefined) return;
    this.#options.onHeard?.();
    this.#intake.receive(batch);
  }

  #acknowledge(): void {
    if (this.#taken < ACKNOWLEDGE_EACH) return;
    this.#writer.op({ op: 'ack', count: this.#taken });
    this.#taken = 0;
  }

  /** The thread of the other end is gone. What it has sent can be read yet. */
  #cut(): void {
    this.#writer.cut();
    this.#intake.marks.close();
  }

  #arrive(to: number, message: unknown, extras: Extras | undefined, waits: boolean, refs: RefTable): void {
    const { tracing } = this;
    const deliver = (): void => this.#deliver(to, decode(message, extras, refs), waits);
    if (tracing === undefined) deliver();
    else inContextOf(extras, tracing, deliver);
  }

  #deliver(to: number, message: unknown, waits: boolean): void {
    this.#beginReceived();
    this.#deliverTo(to, message, waits);
    this.#options.tally?.addReceived();
  }

  #beginReceived(): void {
    this.#taken += 1;
    this.#received += 1;
    this.#options.tally?.beginReceived();
  }

  #deliverTo(to: number, message: unknown, waits: boolean): void {
    const ref = to > 0 ? this.#exports.get(to) : this.#options.placed(to);
    if (ref === undefined) {
      // A number below 0 is that of a placed actor.
      this.refuse(`${this.#options.peer}#${to}`, message, this.#exports.whyGone(to));
      return;
    }
    this.#delivery.deliver(to, ref, message, waits);
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
          this.#options.beforeEnded?.();
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
        this.#exports.stop(op.id, op.timeoutMs, this.#options.onDefect);
        return;
      case 'fail':
        this.#exports.fail(op.id, fromEnvelope(op.error));
        return;
      case 'full':
      case 'room':
        if (op.id > 0) this.#imports.onRoom(op.id, op.op === 'room');
        else this.#options.onRoom?.(op.id, op.op === 'room');
        return;
      case 'mark':
        this.#intake.marks.set(op.n);
        return;
      case 'after':
        // It was waited for.
        return;
      default:
        this.#options.onLink?.(op);
    }
  }

  /** A ref whose messages are dead letters. */
  #nobody(id: number): Ref<never> {
    const path = `${this.#options.peer}#${id}`;
    return { path, tell: (message) => this.refuse(path, message, 'stopped') };
  }

  /** It could be cloned when it was checked, or seemed so. */
  #notPosted(item: Item, cause: unknown): void {
    if (item[0] === OP) {
      // Only `BatchWriter.op` writes to that address.
      this.#notLinked(item[1] as Op, cause);
      return;
    }
    // It was counted as sent. It is a dead letter now, and not one of those that are lost when a thread ends.
    this.#sent -= 1;
    this.#options.tally?.takeTold();
    const text = `The message could not be cloned: ${toEnvelope(cause).message}`;
    const error = new ShoalError('MESSAGE_NOT_PLAIN', text, { cause });
    this.refuse(`${this.#options.peer}#${item[0]}`, item[1], 'invalid', error);
    this.takeBack(item[2], cause);
  }

  /** The receiver of a relayed message waits for it: it is a dead letter there. */
  #notLinked(op: Op, cause: unknown): void {
    if (op.op !== 'relay' && op.op !== 'relayed') return;
    this.takeBack(op.extras, cause);
    const failed = { why: 'a message that could not be cloned', replies: idsIn('direct-reply', op.extras) };
    this.#writer.op({ ...op, message: undefined, extras: undefined, failed });
  }

  /** A message does not leave: the other end will not release its refs, and whoever waits for a reply need not wait on. */
  takeBack(extras: Extras | undefined, cause: unknown): void {
    for (const id of idsIn('ref', extras)) this.#exports.release(id, 1);
    for (const id of idsIn('reply', extras)) {
      const text = `The request could not be cloned: ${toEnvelope(cause).message}`;
      this.#exports.fail(id, new ShoalError('MESSAGE_NOT_PLAIN', text, { cause }));
    }
  }

  /** Makes a dead letter of a message. @param error why it is `invalid` */
  refuse(to: string, message: unknown, why: Undelivered, error?: unknown): false {
    const { system } = this.#options;
    const letter = { from: system.current ?? '-', to, message, why };
    system.deadLetters.add(error === undefined ? letter : { ...letter, error: toEnvelope(error) });
    return false;
  }
}
