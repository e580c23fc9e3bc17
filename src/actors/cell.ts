import { ShoalError } from '../errors.ts';
import type { Addressee } from './addressee.ts';
import type { Behaviour, Receive, SpawnOptions } from './behaviour.ts';
import type { Undelivered } from './dead-letters.ts';
import type { Incarnation } from './incarnation.ts';
import type { Kernel } from './kernel.ts';
import type { Mailbox, Overflow } from './mailbox.ts';
import type { Exit, ExitReason, Ref } from './ref.ts';
import type { Runnable } from './scheduler.ts';

/** Messages an actor handles before the next one gets its turn. */
const THROUGHPUT = 64;
const CAPACITY_DEFAULT = 65_536;
const STOP_TIMEOUT_MS_DEFAULT = 30_000;

export type State = 'starting' | 'running' | 'stopping' | 'stopped';

type Listener = (exit: Exit) => void;

/**
 * One actor as the others see it: its address, its mailbox, its turns and who wants to hear of its end. It outlives restarts;
 * what lasts for one incarnation only (children, timers, clean-up) stands in `Incarnation`.
 */
export class Cell<M> implements Ref<M>, Addressee, Runnable {
  readonly name: string;
  readonly kernel: Kernel;
  readonly parent: Incarnation<never> | undefined;
  readonly stopTimeoutMs: number;
  readonly behaviour: Behaviour<M>;
  readonly #capacity: number;
  readonly #overflow: Overflow;
  readonly #mailbox: Mailbox<M>;
  #state: State = 'stopped';
  #receive: Receive<M> | undefined;
  #incarnation: Incarnation<M> | undefined;
  /** True while the scheduler holds this actor, during its turn, and while a promise of its handler is unsettled. */
  #scheduled = false;
  #suspended = false;
  /** They take the news of a failure off the parent's hands; the key tells whose the listener is. */
  #watchers: Map<object, Listener> | undefined;
  #listeners: Set<Listener> | undefined;
  #lastExit: ExitReason = { kind: 'normal' };
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
    this.#capacity = options.capacity ?? CAPACITY_DEFAULT;
    this.#overflow = options.overflow ?? 'fail';
    this.#mailbox = (options.mailbox ?? kernel.mailbox)<M>();
  }

  get path(): string {
    return this.parent === undefined ? this.name : `${this.parent.cell.path}/${this.name}`;
  }

  get state(): State {
    return this.#state;
  }

  /** Messages waiting. */
  get depth(): number {
    return this.#mailbox.length;
  }

  get children(): Iterable<Cell<never>> {
    return this.#incarnation?.children ?? [];
  }

  /** True while a message is in hand. */
  get busy(): boolean {
    return this.#suspended || this.kernel.current === this;
  }

  get suspended(): boolean {
    return this.#suspended;
  }

  get failedUnseen(): boolean {
    return this.#unseen;
  }

  tell(message: M): boolean {
    if (this.#state === 'stopping' || this.#state === 'stopped') return this.refuse(message, 'stopped');
    if (this.#mailbox.length >= this.#capacity && !this.#makeRoom(message)) return false;
    this.deliver(message);
    return true;
  }

  /** Takes a message whatever the capacity: news that the actor itself asked for is never lost. */
  deliver(message: M): void {
    this.#mailbox.push(message);
    if (!this.#scheduled && this.#state === 'running') this.#wake();
  }

  refuse(message: M, why: Undelivered): false {
    this.kernel.deadLetters.add({ from: this.kernel.current?.path ?? '-', to: this.path, message, why });
    return false;
  }

  /** An incarnation starts; messages that come now wait until it has. */
  begin(incarnation: Incarnation<M>): void {
    this.#state = 'starting';
    this.#unseen = false;
    this.#incarnation = incarnation;
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
    if (incarnation.asked !== undefined) incarnation.end();
    this.#scheduled = this.#state === 'running' && this.#mailbox.length > 0;
    return this.#scheduled;
  }

  /** From here on the actor takes no messages; those that wait are dead letters. */
  close(): void {
    this.#state = 'stopping';
    const mailbox = this.#mailbox;
    while (mailbox.length > 0) this.refuse(shiftFrom(mailbox), 'stopped');
  }

  /** The incarnation has ended. */
  finish(reason: ExitReason): void {
    this.#state = 'stopped';
    this.#lastExit = reason;
    this.#receive = undefined;
    this.#incarnation = undefined;
    // An actor that is suspended is not in the scheduler's queue. One that is there stays marked until its turn comes: it must
    // not be queued twice, or its next incarnation would be re-entered.
    if (this.#suspended) this.#scheduled = false;
    this.#suspended = false;
    const watchers = this.#watchers;
    const listeners = this.#listeners;
    this.#watchers = undefined;
    this.#listeners = undefined;
    this.#unseen = reason.kind === 'error' && watchers === undefined;
    if (watchers === undefined && listeners === undefined) return;
    const exit = { path: this.path, reason };
    for (const tell of watchers?.values() ?? []) tell(exit);
    for (const tell of listeners ?? []) tell(exit);
  }

  /** Tells `listener` of the end, at once if that was before: then its news may still spare the parent. */
  watch(key: object, listener: Listener): void {
    if (this.#state === 'stopped') {
      this.#unseen = false;
      listener({ path: this.path, reason: this.#lastExit });
      return;
    }
    this.#watchers ??= new Map();
    this.#watchers.set(key, listener);
  }

  unwatch(key: object): void {
    this.#watchers?.delete(key);
    if (this.#watchers?.size === 0) this.#watchers = undefined;
  }

  /** Tells `listener` of the end, but does not count as watching. @returns how to take that back. */
  onEnd(listener: Listener): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
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

  /** Handles messages until there is a reason not to. @returns a promise that a handler has left unsettled. */
  #handle(incarnation: Incarnation<M>): Promise<void> | undefined {
    const receive = this.#receive;
    const mailbox = this.#mailbox;
    if (receive === undefined) return undefined;
    this.kernel.current = this;
    try {
      for (let handled = 0; handled < THROUGHPUT && mailbox.length > 0; handled++) {
        const pending = receive(shiftFrom(mailbox));
        if (pending instanceof Promise) return pending;
        if (incarnation.asked !== undefined) return undefined;
      }
    } catch (error) {
      incarnation.note(error);
    } finally {
      this.kernel.current = undefined;
    }
    return undefined;
  }

  #suspend(pending: Promise<void>, incarnation: Incarnation<M>): void {
    const resume = (): void => {
      if (this.#incarnation !== incarnation) return;
      this.#suspended = false;
      this.#scheduled = false;
      if (incarnation.asked !== undefined) incarnation.end();
      if (this.#state === 'running' && this.#mailbox.length > 0 && !this.#scheduled) this.#wake();
    };
    pending.then(resume, (error: unknown) => {
      incarnation.note(error);
      resume();
    });
    if (this.#incarnation !== incarnation) {
      // It was abandoned from within its own handler.
      this.#scheduled = false;
      return;
    }
    this.#suspended = true;
    incarnation.limitIfAsked();
  }

  #wake(): void {
    this.#scheduled = true;
    this.kernel.scheduler.schedule(this);
  }

  #makeRoom(message: M): boolean {
    if (this.#overflow === 'fail') return this.refuse(message, 'mailbox-full');
    if (this.#overflow === 'drop-newest' || this.#mailbox.length === 0) return this.refuse(message, 'dropped');
    this.refuse(shiftFrom(this.#mailbox), 'dropped');
    return true;
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
