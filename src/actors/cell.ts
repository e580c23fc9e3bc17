import { SmallMap } from '../small-map.ts';
import type { Addressee } from './addressee.ts';
import { mayPause, type Pausable, RoomQueue } from './backpressure.ts';
import type { Behaviour, Receive, SpawnOptions } from './behaviour.ts';
import type { Undelivered } from './dead-letters.ts';
import { ending } from './ending.ts';
import { type EndListener, Ends, type Listener, type Watching } from './ends.ts';
import type { Kernel } from './kernel.ts';
import { type Life, type Parent, pathOf, type State } from './life.ts';
import { type Letter, type Mailbox, noMail, type Sender } from './mailbox.ts';
import { Marks } from './marks.ts';
import { isNotice, isRevoked, type Notice } from './notice.ts';
import { promiseOf } from './promise-of.ts';
import type { ExitReason, Ref } from './ref.ts';
import type { Runnable, Slice } from './scheduler.ts';
import type { Steps } from './steps.ts';
import { type Terms, termsOf } from './terms.ts';
import { inContext, observed, traced } from './tracing.ts';

/**
 * An actor as others see it: its address, mailbox, turns and watchers. It outlives restarts. Whatever belongs to one
 * incarnation only (children, timers, clean-up) is in `Incarnation`.
 */
export class Cell<M> implements Ref<M>, Addressee, Runnable, Pausable {
  // The fields that each message touches come first, and share two cache lines: V8 lays fields out in this order.
  readonly kernel: Kernel;
  #state: State = 'stopped';
  readonly #mailbox: Mailbox<M>;
  /** While fewer messages wait, the actor takes one more: its capacity, or -1 unless it is running and takes messages. */
  #limit = -1;
  /** True while the actor is in the scheduler's queue, during its turn, and while it is parked. */
  #scheduled = false;
  #receive: Receive<M> = noMail;
  #incarnation: Life<Cell<never>> | undefined;
  #handled = 0;
  /** How many messages the turn had handled when the end of a slice interrupted it. The rest of `throughput` is left. */
  #interruptedAfter = 0;
  /** Something besides mail matters at the end of this turn. Most turns check nothing but this one flag. */
  #alerted = false;
  /** The receivers in whose mailboxes this actor waits for room. */
  #awaited: Set<Pausable> | undefined;
  /** The senders that wait for room in this mailbox. */
  #room: RoomQueue | undefined;
  /** The actor takes no messages, although it may still handle what waits. */
  #isEnding = true;
  /** Waits outside of the scheduler's queue: for the promise of its handler, or for room in another mailbox. */
  #parked: 'promise' | 'room' | undefined;
  readonly terms: Terms;
  readonly name: string;
  readonly parent: Parent | undefined;
  readonly behaviour: Behaviour<M>;
  #starts = 0;
  #watching: Watching | undefined;
  #ends: Ends | undefined;
  #marks: Marks | undefined;

  constructor(
    kernel: Kernel,
    parent: Parent | undefined,
    name: string,
    behaviour: Behaviour<M>,
    options: SpawnOptions,
  ) {
    this.kernel = kernel;
    this.parent = parent;
    this.name = name;
    this.behaviour = behaviour;
    this.terms = termsOf(options, behaviour);
    this.#mailbox = traced((options.mailbox ?? kernel.mailbox)<M>(), kernel.tracing);
  }

  get path(): string {
    return pathOf(this);
  }

  get capacity(): number {
    return this.terms.capacity;
  }

  /** `stopping` also while it only handles what waits. */
  get state(): State {
    return this.#isEnding && this.#state !== 'stopped' ? 'stopping' : this.#state;
  }

  /** Messages waiting. */
  get depth(): number {
    return this.#mailbox.length;
  }

  get shard(): string {
    return this.#incarnation?.shard ?? this.kernel.shard;
  }

  get children(): Iterable<Cell<never>> {
    return this.#incarnation?.children ?? [];
  }

  /** Messages handled, in all incarnations. */
  get handled(): number {
    return this.#handled;
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  get awaited(): Iterable<Pausable> {
    return this.#awaited ?? [];
  }

  /** The sender of the message in hand. */
  get senderInHand(): Sender | undefined {
    return this.#mailbox.lastSender;
  }

  /** True while a message is in hand. */
  get busy(): boolean {
    return this.suspended || this.kernel.current === this;
  }

  get suspended(): boolean {
    return this.#parked === 'promise';
  }

  get failedUnseen(): boolean {
    return this.#ends?.isUnseen === true;
  }

  tell(message: M): boolean {
    return this.take(message, this.kernel.current);
  }

  /** Like `tell`, on behalf of `sender`. */
  take(message: M, sender: Pausable | undefined): boolean {
    // Nearly all messages find a running actor with room in its mailbox.
    if (this.#mailbox.length >= this.#limit) return this.#takeOrRefuse(message, sender);
    this.#mailbox.push(message, sender);
    if (!this.#scheduled) this.#wake();
    return true;
  }

  /** Like `take`, for a message that a timer of the actor sends it. Its timers end with it. */
  takeOwn(message: M, notice: Notice): boolean {
    return !this.#isEnding && this.#takeOrRefuse(message, this, notice);
  }

  get marks(): Marks {
    this.alert();
    this.#marks ??= new Marks();
    return this.#marks;
  }

  /** Takes a message whatever the capacity, because the actor has asked for it. */
  deliver(message: M, sender: Sender | undefined): void {
    this.#mailbox.push(message, sender);
    if (!this.#scheduled && this.#state === 'running') this.#wake();
  }

  /** Like `tell`, but as soon as there is room, in the order of the offers. False, too, if the signal gives it up. */
  async offer(message: M, signal?: AbortSignal): Promise<boolean> {
    const sender = this.kernel.current;
    if (signal?.aborted === true) return this.refuse(message, 'given-up', sender);
    const isTakenNow = this.#mailbox.length < this.capacity && this.#room?.hasOffers !== true;
    if (isTakenNow || this.#isEnding) return this.take(message, sender);
    return this.#roomQueue().offer({
      mailbox: this.#mailbox,
      take: inContext(this.kernel.tracing, () => this.take(message, sender)),
      giveUp: () => this.refuse(message, 'given-up', sender),
      signal,
    });
  }

  /** Puts messages that were in hand back, before all that wait. */
  putBack(messages: readonly Letter<M>[]): void {
    for (const { message, sender } of [...messages].reverse()) {
      if (!isRevoked(sender)) this.#mailbox.unshift(message, sender);
    }
    if (this.#mailbox.length > 0 && !this.#scheduled && this.#state === 'running') this.#wake();
  }

  refuse(message: M, why: Undelivered, sender: Sender | undefined): false {
    this.kernel.deadLetters.add({ from: sender?.path ?? '-', to: this.path, message, why });
    return false;
  }

  /** Something besides mail matters: a request to end, an idle timeout, or a sender that waits for room. */
  alert(): void {
    this.#alerted = true;
  }

  /** Made when it is first needed. */
  get ends(): Ends {
    this.#ends ??= new Ends();
    return this.#ends;
  }

  /** From now on `receive` handles the messages. */
  become(receive: Receive<M>): void {
    this.#receive = receive;
  }

  /** The state of an incarnation: `stopped` unless it is the current one. */
  stateOf(incarnation: Life<Cell<never>>): State {
    return this.#incarnation === incarnation ? this.#state : 'stopped';
  }

  /** An incarnation starts. Messages wait until it has started. */
  begin(incarnation: Life<Cell<never>>): void {
    this.#state = 'starting';
    this.#isEnding = false;
    this.#ends?.begin();
    this.#marks = undefined;
    this.#incarnation = incarnation;
    this.kernel.hooks.onSpawn?.(this.path, this.#starts);
    this.#starts += 1;
  }

  /** The behaviour has set itself up. */
  open(receive: Receive<M>): void {
    this.#receive = receive;
    this.#state = 'running';
    if (!this.#isEnding) this.#limit = this.capacity;
    if (this.#mailbox.length > 0 && !this.#scheduled) this.#wake();
  }

  turn(slice: Slice): boolean {
    const incarnation = this.#incarnation;
    if (this.#state !== 'running' || incarnation === undefined) {
      this.#scheduled = false;
      return false;
    }
    const pending = this.#handle(incarnation, slice);
    if (pending === undefined) return this.#endTurn();
    this.#suspend(pending, incarnation);
    return false;
  }

  pause(receiver: Pausable): void {
    this.#awaited ??= new Set();
    this.#awaited.add(receiver);
    this.alert();
  }

  resume(receiver: Pausable): void {
    this.#awaited?.delete(receiver);
    if (this.#awaited?.size !== 0) return;
    this.#awaited = undefined;
    if (this.#parked !== 'room') return;
    this.#parked = undefined;
    this.#scheduled = false;
    if (this.#mailbox.length > 0) this.#wake();
  }

  /** The actor ends. Messages that wait become dead letters, but not what its own timers and watches have sent. */
  close(): void {
    this.#state = 'stopping';
    this.alert();
    while (this.#mailbox.length > 0) this.#drop('stopped');
    this.closeMailbox();
  }

  /** From now on the actor takes no messages. */
  closeMailbox(): void {
    this.#isEnding = true;
    this.#limit = -1;
    const room = this.#room;
    this.#room = undefined;
    room?.close(this);
  }

  /** The incarnation has ended. @param isTold whether somebody learns of it without watching */
  finish(reason: ExitReason, isTold: boolean): void {
    this.#state = 'stopped';
    this.#receive = noMail;
    this.#incarnation = undefined;
    // A parked actor is not in the scheduler's queue. An actor that is in the queue stays marked until its turn comes:
    // if it were queued twice, its next incarnation could be re-entered.
    if (this.#parked !== undefined) this.#scheduled = false;
    this.#parked = undefined;
    this.#awaited = undefined;
    const exit = { path: this.path, reason };
    this.kernel.hooks.onStop?.(exit);
    const watching = this.#watching;
    this.#watching = undefined;
    this.ends.finish(exit, watching, isTold ? undefined : this.parent);
  }

  watch(watcher: object, listener: EndListener): void {
    if (this.#state === 'stopped' && this.ends.tellLast(this.path, watcher, this.parent, listener)) return;
    this.#watching ??= new SmallMap();
    this.#watching.set(watcher, listener);
  }

  /** From now on `watcher` is as one that has never watched. */
  unwatch(watcher: object): void {
    this.#watching?.delete(watcher);
    this.#ends?.forget(watcher);
  }

  onEnd(listener: Listener): () => void {
    return this.ends.listen(listener);
  }

  /** Ends this actor from outside. Resolves when it has ended or was abandoned at its time limit. */
  shutdown(timeoutMs = this.terms.stopTimeoutMs): Promise<void> {
    return ending(this, this.#incarnation, (life) => life.stop(timeoutMs));
  }

  /** Ends this actor once it has handled what waits, or after `timeoutMs`. Resolves when it has ended. */
  drain(timeoutMs = this.terms.stopTimeoutMs): Promise<void> {
    return ending(this, this.#incarnation, (life) => life.drain(timeoutMs));
  }

  /** The steps of giving up on an actor that has not stopped in time; undefined if it has ended. */
  abandoning(afterMs: number): Steps | undefined {
    return this.#incarnation?.abandoning(afterMs);
  }

  /** Handles messages until the turn is over. @returns the promise of a handler, if it is unsettled */
  #handle(incarnation: Life<Cell<never>>, slice: Slice): Promise<void> | undefined {
    const { kernel } = this;
    const { throughput, observers } = kernel;
    const mailbox = this.#mailbox;
    let handled = 0;
    /** Those of them that the slice knows of. */
    let spent = 0;
    const turnMax = throughput - this.#interruptedAfter;
    this.#interruptedAfter = 0;
    let handledMax = Math.min(turnMax, slice.messagesLeft);
    kernel.current = this;
    try {
      while (mailbox.length > 0) {
        // There is a message, so `undefined` would be one like any other.
        const message = mailbox.shift() as M;
        if (this.#alerted && this.#marks?.next(mailbox.lastSender) === false) continue;
        handled += 1;
        const receive = this.#receive;
        const result = observers === undefined ? receive(message) : observed(observers, this, message, receive);
        if (result !== undefined) {
          const pending = promiseOf(result);
          if (pending !== undefined) return pending;
        }
        if (this.#alerted && (incarnation.endReason !== undefined || this.#awaited !== undefined)) break;
        if (handled < handledMax) continue;
        if (handled === turnMax) break;
        const isOver = slice.spend(handled - spent);
        spent = handled;
        if (isOver) {
          if (mailbox.length > 0) this.#interruptedAfter = throughput - turnMax + handled;
          break;
        }
        handledMax = Math.min(turnMax, handled + slice.messagesLeft);
      }
    } catch (error) {
      incarnation.failHandling(error);
    } finally {
      kernel.current = undefined;
      this.#handled += handled;
      // The scheduler counts one for the turn.
      if (handled - spent > 1) slice.spend(handled - spent - 1);
    }
    return undefined;
  }

  /** @returns true if there is more to do now */
  #endTurn(): boolean {
    if (this.#alerted) return this.#endAlertedTurn();
    this.#scheduled = this.#mailbox.length > 0;
    return this.#scheduled;
  }

  #endAlertedTurn(): boolean {
    this.#incarnation?.receiveTimeout?.touch();
    if (this.#incarnation?.endReason !== undefined) this.#incarnation.end();
    if (this.#room?.open(this) === true) this.#room = undefined;
    const isPaused = this.#awaited !== undefined;
    if (this.#marks?.endTurn(this.#mailbox.length > 0) === false) this.#marks = undefined;
    this.#alerted =
      isPaused ||
      this.#marks !== undefined ||
      this.#room !== undefined ||
      this.#incarnation?.receiveTimeout !== undefined;
    this.#scheduled = this.#state === 'running' && (isPaused || this.#mailbox.length > 0);
    if (this.#scheduled && isPaused) this.#parked = 'room';
    return this.#scheduled && !isPaused;
  }

  #suspend(pending: Promise<void>, incarnation: Life<Cell<never>>): void {
    const resume = (): void => {
      if (this.#incarnation !== incarnation) return;
      this.#parked = undefined;
      if (this.#endTurn()) this.kernel.scheduler.schedule(this);
    };
    pending.then(resume, (error: unknown) => {
      incarnation.failHandling(error);
      resume();
    });
    if (this.#incarnation !== incarnation) {
      // It was abandoned from within its own handler, and the next incarnation may already have mail.
      if (this.#endTurn()) this.kernel.scheduler.schedule(this);
      return;
    }
    this.#parked = 'promise';
    incarnation.limitIfEnding();
  }

  #wake(): void {
    this.#scheduled = true;
    this.kernel.scheduler.schedule(this);
  }

  /** @param writtenBy whom the letter names */
  #takeOrRefuse(message: M, sender: Pausable | undefined, writtenBy: Sender | undefined = sender): boolean {
    if (this.#isEnding) return this.refuse(message, 'stopped', sender);
    if (this.#mailbox.length >= this.capacity && !this.#makeRoom(message, sender)) return false;
    this.deliver(message, writtenBy);
    // Only now: a mailbox may throw at a message, which then takes no place.
    if (this.terms.overflow === 'drop-oldest' && this.#mailbox.length > this.capacity) this.#drop('dropped');
    // A hook that was told of a dropped message may have ended this actor.
    return this.#mailbox.length > 0;
  }

  #makeRoom(message: M, sender: Pausable | undefined): boolean {
    switch (this.terms.overflow) {
      case 'fail':
        return this.refuse(message, 'mailbox-full', sender);
      case 'drop-newest':
        return this.refuse(message, 'dropped', sender);
      case 'drop-oldest':
        return this.#mailbox.length > 0 || this.refuse(message, 'dropped', sender);
      case 'backpressure':
        if (!mayPause(this, sender)) return this.refuse(message, 'mailbox-full', sender);
        this.#roomQueue().add(sender);
        sender.pause(this);
        return true;
    }
  }

  #drop(why: 'stopped' | 'dropped'): void {
    const { message, sender } = this.#mailbox.drop();
    const isUnwanted = why === 'stopped' ? isNotice(sender) : isRevoked(sender);
    if (!isUnwanted) this.refuse(message, why, sender);
  }

  #roomQueue(): RoomQueue {
    this.#room ??= new RoomQueue();
    this.alert();
    return this.#room;
  }
}
