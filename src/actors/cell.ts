import { ShoalError } from '../errors.ts';
import type { Addressee } from './addressee.ts';
import { Audience, type Listener } from './audience.ts';
import { type Holdable, RoomQueue, waitsFor } from './backpressure.ts';
import type { Behaviour, Receive, SpawnOptions } from './behaviour.ts';
import type { Undelivered } from './dead-letters.ts';
import type { Incarnation } from './incarnation.ts';
import type { Kernel } from './kernel.ts';
import type { Letter, Mailbox, Overflow, Sender } from './mailbox.ts';
import { checkedCapacity } from './options.ts';
import type { ExitReason, Ref } from './ref.ts';
import type { Runnable } from './scheduler.ts';

const CAPACITY_DEFAULT = 65_536;
const STOP_TIMEOUT_MS_DEFAULT = 30_000;
/** A mailbox with backpressure holds so many times its capacity: what held senders still send with the message in hand. */
const HELD_CAPACITY_TIMES = 2;
const NORMAL: ExitReason = { kind: 'normal' };

export type State = 'starting' | 'running' | 'stopping' | 'stopped';

/**
 * One actor as the others see it: its address, its mailbox, its turns and who wants to hear of its end. It outlives restarts;
 * what lasts for one incarnation only (children, timers, clean-up) stands in `Incarnation`.
 */
export class Cell<M> implements Ref<M>, Addressee, Runnable, Holdable {
  // What each message touches comes first, so that it shares two cache lines: V8 lays fields out in this order.
  readonly kernel: Kernel;
  #state: State = 'stopped';
  readonly #mailbox: Mailbox<M>;
  readonly #capacity: number;
  /** True while the scheduler holds this actor, during its turn, and while it is parked. */
  #scheduled = false;
  #receive: Receive<M> | undefined;
  #incarnation: Incarnation<M> | undefined;
  #handled = 0;
  /** Something else than mail matters at the end of this turn. One flag, so that a turn in which nothing does looks at nothing. */
  #alerted = false;
  /** Those in whose mailboxes this actor waits for room. */
  #awaited: Set<Holdable> | undefined;
  /** Those who wait for room in this mailbox. */
  #room: RoomQueue | undefined;
  /** Between two turns and not in the scheduler's queue: a promise of its handler is unsettled, or it waits for room elsewhere. */
  #parked: 'promise' | 'room' | undefined;
  readonly #overflow: Overflow;
  readonly name: string;
  readonly parent: Incarnation<never> | undefined;
  readonly stopTimeoutMs: number;
  readonly behaviour: Behaviour<M>;
  #starts = 0;
  #audience: Audience | undefined;
  #lastExit = NORMAL;
  /** A failure that nobody has watched so far. */
  #unseen = false;

  constructor(
    kernel: Kernel,
    parent: Incarnation<never> | undefined,
    name: string,
    behaviour: Behaviour<M>,
    options: SpawnOptions,
  ) {
    this.kernel = kernel;
    this.parent = parent;
    this.name = name;
    this.stopTimeoutMs = options.stopTimeoutMs ?? STOP_TIMEOUT_MS_DEFAULT;
    this.behaviour = behaviour;
    this.#capacity = options.capacity === undefined ? CAPACITY_DEFAULT : checkedCapacity(options.capacity);
    this.#overflow = options.overflow ?? 'fail';
    this.#mailbox = (options.mailbox ?? kernel.mailbox)<M>();
  }

  get path(): string {
    if (this.parent === undefined) return '/';
    const above = this.parent.cell.path;
    return above === '/' ? `/${this.name}` : `${above}/${this.name}`;
  }

  get state(): State {
    return this.#state;
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

  /** Messages waiting at which the overflow rule begins to count. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Messages handled, in all incarnations. */
  get handled(): number {
    return this.#handled;
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  get awaited(): Iterable<Holdable> {
    return this.#awaited ?? [];
  }

  /** Who sent the message in hand. */
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
    return this.#unseen;
  }

  tell(message: M): boolean {
    return this.take(message, this.kernel.current);
  }

  /** As `tell`, in the name of a sender. */
  take(message: M, sender: Holdable | undefined): boolean {
    if (this.#state === 'stopping' || this.#state === 'stopped') return this.refuse(message, 'stopped', sender);
    if (this.#mailbox.length >= this.#capacity && !this.#makeRoom(message, sender)) return false;
    this.deliver(message, sender);
    return true;
  }

  /** Takes a message whatever the capacity: news that the actor itself asked for is never lost. */
  deliver(message: M, sender: Sender | undefined): void {
    this.#mailbox.push(message, sender);
    if (!this.#scheduled && this.#state === 'running') this.#wake();
  }

  /** As `tell`, as soon as there is room, in the order of the offers. Resolves with what `tell` returned then. */
  offer(message: M): Promise<boolean> {
    const sender = this.kernel.current;
    const isTakenNow = this.#mailbox.length < this.#capacity && this.#room?.hasOffers !== true;
    if (isTakenNow || this.#isEnding) return Promise.resolve(this.take(message, sender));
    const room = this.#roomQueue();
    return new Promise((resolve) => room.offer(() => resolve(this.take(message, sender))));
  }

  /** Puts messages that were in hand before all that wait. */
  putBack(messages: readonly Letter<M>[]): void {
    for (const { message, sender } of [...messages].reverse()) this.#mailbox.unshift(message, sender);
    if (this.#mailbox.length > 0 && !this.#scheduled && this.#state === 'running') this.#wake();
  }

  refuse(message: M, why: Undelivered, sender: Sender | undefined): false {
    this.kernel.deadLetters.add({ from: sender?.path ?? '-', to: this.path, message, why });
    return false;
  }

  /** Something else than mail matters: an end that was asked for, an idle time, somebody who waits for room. */
  alert(): void {
    this.#alerted = true;
  }

  /** Handles the messages to come with `receive`. */
  become(receive: Receive<M>): void {
    this.#receive = receive;
  }

  /** An incarnation starts; messages that come now wait until it has. */
  begin(incarnation: Incarnation<M>): void {
    this.#state = 'starting';
    this.#unseen = false;
    this.#incarnation = incarnation;
    this.kernel.hooks.onSpawn?.(this.path, this.#starts);
    this.#starts += 1;
  }

  /** The behaviour has set itself up. */
  open(receive: Receive<M>): void {
    this.#receive = receive;
    this.#state = 'running';
    if (this.#mailbox.length > 0 && !this.#scheduled) this.#wake();
  }

  turn(): boolean {
    const incarnation = this.#incarnation;
    if (this.#state !== 'running' || incarnation === undefined) {
      this.#scheduled = false;
      return false;
    }
    const pending = this.#handle(incarnation);
    if (pending !== undefined) {
      this.#suspend(pending, incarnation);
      return false;
    }
    return this.#endTurn();
  }

  hold(receiver: Holdable): void {
    this.#awaited ??= new Set();
    this.#awaited.add(receiver);
    this.alert();
  }

  release(receiver: Holdable): void {
    this.#awaited?.delete(receiver);
    if (this.#awaited?.size !== 0) return;
    this.#awaited = undefined;
    if (this.#parked !== 'room') return;
    this.#parked = undefined;
    this.#scheduled = false;
    if (this.#mailbox.length > 0) this.#wake();
  }

  forget(sender: Holdable): void {
    this.#room?.forget(sender);
  }

  /** From here on the actor takes no messages; those that wait are dead letters. */
  close(): void {
    this.#state = 'stopping';
    this.alert();
    while (this.#mailbox.length > 0) this.#drop('stopped');
    const room = this.#room;
    this.#room = undefined;
    room?.release(this);
    // They are dead letters too.
    room?.deliverOffers(() => true);
  }

  /** The incarnation has ended. @param isTold whether somebody who does not watch learns of it */
  finish(reason: ExitReason, isTold: boolean): void {
    this.#state = 'stopped';
    this.#lastExit = reason;
    this.#receive = undefined;
    this.#incarnation = undefined;
    // An actor that is parked is not in the scheduler's queue. One that is there stays marked until its turn comes: it must
    // not be queued twice, or its next incarnation would be re-entered.
    if (this.#parked !== undefined) this.#scheduled = false;
    this.#parked = undefined;
    for (const receiver of this.awaited) receiver.forget(this);
    this.#awaited = undefined;
    const audience = this.#audience;
    this.#audience = undefined;
    this.#unseen = reason.kind === 'error' && audience?.hasWatchers !== true && !isTold;
    const { onStop } = this.kernel.hooks;
    if (audience === undefined && onStop === undefined) return;
    const exit = { path: this.path, reason };
    onStop?.(exit);
    audience?.tell(exit);
  }

  /** Tells `listener` of the end, at once if that was before: then its news may still spare the parent. */
  watch(key: object, listener: Listener): void {
    if (this.#state === 'stopped') {
      this.#unseen = false;
      listener({ path: this.path, reason: this.#lastExit });
      return;
    }
    this.#audience ??= new Audience();
    this.#audience.watch(key, listener);
  }

  unwatch(key: object): void {
    this.#audience?.unwatch(key);
  }

  /** Tells `listener` of the end, but does not count as watching. @returns how to take that back. */
  onEnd(listener: Listener): () => void {
    this.#audience ??= new Audience();
    return this.#audience.listen(listener);
  }

  /** Ends this actor from outside. Resolves when it has ended, or was abandoned at its time limit. */
  shutdown(timeoutMs = this.stopTimeoutMs): Promise<void> {
    return new Promise((resolve) => {
      if (this.#incarnation === undefined) return resolve();
      this.onEnd(() => resolve());
      this.#incarnation.stopWithin(timeoutMs);
    });
  }

  /** Gives up on an actor that does not finish stopping, so that what waits for it goes on. */
  abandon(afterMs: number): void {
    this.#incarnation?.abandon(afterMs);
  }

  get #isEnding(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped';
  }

  /** Handles messages until there is a reason not to. @returns a promise that a handler has left unsettled. */
  #handle(incarnation: Incarnation<M>): Promise<void> | undefined {
    const { kernel } = this;
    const { throughput } = kernel;
    const { onMessage } = kernel.hooks;
    const mailbox = this.#mailbox;
    let handled = 0;
    kernel.current = this;
    try {
      while (handled < throughput && mailbox.length > 0) {
        const message = shiftFrom(mailbox);
        handled += 1;
        onMessage?.({ from: mailbox.lastSender?.path ?? '-', to: this.path, message });
        const pending = this.#receive?.(message);
        if (pending !== undefined && pending instanceof Promise) return pending;
        if (this.#alerted && (incarnation.asked !== undefined || this.#awaited !== undefined)) break;
      }
    } catch (error) {
      incarnation.note(error);
    } finally {
      kernel.current = undefined;
      this.#handled += handled;
    }
    return undefined;
  }

  /** @returns true if there is more to do now. */
  #endTurn(): boolean {
    if (this.#alerted) return this.#endAlertedTurn();
    this.#scheduled = this.#mailbox.length > 0;
    return this.#scheduled;
  }

  #endAlertedTurn(): boolean {
    this.#incarnation?.receiveTimeout?.touch();
    if (this.#incarnation?.asked !== undefined) this.#incarnation.end();
    if (this.#room !== undefined) this.#openRoom(this.#room);
    const isHeld = this.#awaited !== undefined;
    this.#alerted = isHeld || this.#room !== undefined || this.#incarnation?.receiveTimeout !== undefined;
    this.#scheduled = this.#state === 'running' && (isHeld || this.#mailbox.length > 0);
    if (this.#scheduled && isHeld) this.#parked = 'room';
    return this.#scheduled && !isHeld;
  }

  #suspend(pending: Promise<void>, incarnation: Incarnation<M>): void {
    const resume = (): void => {
      if (this.#incarnation !== incarnation) return;
      this.#parked = undefined;
      if (this.#endTurn()) this.kernel.scheduler.schedule(this);
    };
    pending.then(resume, (error: unknown) => {
      incarnation.note(error);
      resume();
    });
    if (this.#incarnation !== incarnation) {
      // It was abandoned from within its own handler; the next incarnation may have mail by now.
      if (this.#endTurn()) this.kernel.scheduler.schedule(this);
      return;
    }
    this.#parked = 'promise';
    incarnation.limitIfAsked();
  }

  #wake(): void {
    this.#scheduled = true;
    this.kernel.scheduler.schedule(this);
  }

  #makeRoom(message: M, sender: Holdable | undefined): boolean {
    switch (this.#overflow) {
      case 'fail':
        return this.refuse(message, 'mailbox-full', sender);
      case 'drop-newest':
        return this.refuse(message, 'dropped', sender);
      case 'drop-oldest':
        if (this.#mailbox.length === 0) return this.refuse(message, 'dropped', sender);
        this.#drop('dropped');
        return true;
      case 'backpressure':
        return this.#holdBack(message, sender);
    }
  }

  #drop(why: Undelivered): void {
    const { message, sender } = this.#mailbox.drop();
    this.refuse(message, why, sender);
  }

  #holdBack(message: M, sender: Holdable | undefined): boolean {
    const isBeyondHelp = this.#mailbox.length >= this.#capacity * HELD_CAPACITY_TIMES;
    if (sender === undefined || isBeyondHelp || waitsFor(this, sender)) {
      return this.refuse(message, 'mailbox-full', sender);
    }
    this.#roomQueue().hold(sender);
    sender.hold(this);
    return true;
  }

  #openRoom(room: RoomQueue): void {
    // Half of the capacity, so that a sender is not woken for each message.
    if (this.#mailbox.length <= this.#capacity / 2) room.release(this);
    room.deliverOffers(() => this.#mailbox.length < this.#capacity);
    if (room.isEmpty) this.#room = undefined;
  }

  #roomQueue(): RoomQueue {
    this.#room ??= new RoomQueue();
    this.alert();
    return this.#room;
  }
}

export function asCell<M>(ref: Ref<M>): Cell<M> {
  if (ref instanceof Cell) return ref;
  throw new ShoalError('INTERNAL', `${ref.path} is not an actor of this system`);
}

/** The caller has seen that the mailbox is not empty; `undefined` is then a message like any other. */
function shiftFrom<M>(mailbox: Mailbox<M>): M {
  return mailbox.shift() as M;
}
