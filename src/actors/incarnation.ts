import { type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { type Addressee, addresseeOf, offerTo } from './addressee.ts';
import type { Behaviour, Context, Receive, SpawnOptions } from './behaviour.ts';
import { asCell, Cell } from './cell.ts';
import { Children } from './children.ts';
import { CleanUps } from './clean-ups.ts';
import type { CancelTimer, Clock } from './clock.ts';
import { abandoned, stoppedWhileStarting } from './ends.ts';
import { checkedName } from './options.ts';
import { ReceiveTimeout } from './receive-timeout.ts';
import type { Exit, ExitReason, Ref } from './ref.ts';
import { Stash } from './stash.ts';
import { StopLimit } from './stop-limit.ts';
import { Timers } from './timers.ts';

/** Who awaits the start of an actor. */
export interface Starter {
  started(): void;
  failed(error: unknown): void;
}

/**
 * One life of an actor, from its start to its end: the context that its behaviour works with, and everything that must not
 * outlive it. Once it is over none of its methods has an effect on the next incarnation.
 *
 * The end, in this order: the message in hand (or the start), `before-children` clean-up, children from the last to the first,
 * clean-up. When a limit of time is reached the rest is abandoned: clean-up still runs, but nobody waits for it.
 */
export class Incarnation<M> implements Context<M> {
  readonly cell: Cell<M>;
  #asked: ExitReason | undefined;
  receiveTimeout: ReceiveTimeout | undefined;
  /** The thread of the actor that this one stands for. */
  shard: string | undefined;
  #phase: 'starting' | 'running' | 'ending' | 'over' = 'starting';
  #starter: Starter | undefined;
  #startError: { readonly thrown: unknown } | undefined;
  /** True while the behaviour is setting itself up, also when the end has come in between. */
  #settingUp = true;
  #afterSetUp: (() => void) | undefined;
  #children: Children | undefined;
  #watched: Set<Addressee> | undefined;
  #timers: Timers | undefined;
  #stash: Stash<M> | undefined;
  #cleanUps: CleanUps | undefined;
  #abort: AbortController | undefined;
  /** The time that whoever has asked for the end gives it. */
  #limitMs: number | undefined;
  #limit: StopLimit | undefined;

  constructor(cell: Cell<M>, starter: Starter | undefined) {
    this.cell = cell;
    this.#starter = starter;
  }

  /** Why this actor is to end as soon as it has nothing in hand. */
  get asked(): ExitReason | undefined {
    return this.#asked;
  }

  set asked(reason: ExitReason) {
    this.#asked = reason;
    this.cell.alert();
  }

  get self(): Ref<M> {
    return this.cell;
  }

  get clock(): Clock {
    return this.cell.kernel.clock;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.asked !== undefined || this.#isEnding) this.#abort.abort();
    return this.#abort.signal;
  }

  get children(): Iterable<Cell<never>> {
    return this.#children?.values() ?? [];
  }

  // What the behaviour may do.

  spawn<C>(behaviour: Behaviour<C>, options: SpawnOptions = {}): Ref<C> {
    const child = this.#adopt(behaviour, options);
    new Incarnation(child, undefined).setUp();
    return child;
  }

  start<C>(behaviour: Behaviour<C>, options: SpawnOptions = {}): Promise<Ref<C>> {
    return new Promise((resolve, reject) => {
      const child = this.#adopt(behaviour, options);
      new Incarnation(child, { started: () => resolve(child), failed: reject }).setUp();
    });
  }

  restart<C>(ref: Ref<C>): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.#ownChild(ref);
      if (child.state !== 'stopped') throw new ShoalError('INTERNAL', `${child.path} is ${child.state}, not stopped`);
      this.#claim(child);
      new Incarnation(child, { started: resolve, failed: reject }).setUp();
    });
  }

  async stop(ref: Ref<never>, timeoutMs?: number): Promise<void> {
    await this.#ownChild(ref).shutdown(timeoutMs);
  }

  standsFor(shard: string): void {
    this.shard = shard;
  }

  exit(): void {
    // During the start this waits until the start is done, as it waits for the end of a message.
    if (this.#phase === 'starting') this.asked ??= { kind: 'normal' };
    else this.#ask({ kind: 'normal' });
  }

  watch(other: Ref<never>, toMessage: (exit: Exit) => M): void {
    if (this.#isEnding) return;
    const actor = addresseeOf(other);
    this.#watched ??= new Set();
    this.#watched.add(actor);
    actor.watch(this, (exit) => {
      this.#watched?.delete(actor);
      this.#post(() => toMessage(exit));
    });
  }

  unwatch(other: Ref<never>): void {
    const actor = addresseeOf(other);
    actor.unwatch(this);
    this.#watched?.delete(actor);
  }

  after(delayMs: number, message: M): CancelTimer {
    return this.#timer(delayMs, () => {
      this.cell.take(message, this.cell);
    });
  }

  every(intervalMs: number, message: () => M): CancelTimer {
    const tick = (): void => {
      cancel = this.#timer(intervalMs, tick);
      this.#protect(() => {
        this.cell.take(message(), this.cell);
      });
    };
    let cancel = this.#timer(intervalMs, tick);
    return () => cancel();
  }

  pipe<T>(promise: Promise<T>, done: (value: T) => M, failed: (error: unknown) => M): void {
    promise.then(
      (value) => this.#post(() => done(value)),
      (error: unknown) => this.#post(() => failed(error)),
    );
  }

  onStop(
    cleanUp: () => undefined | void | Promise<void>,
    when: 'after-children' | 'before-children' = 'after-children',
  ): void {
    this.#cleanUps ??= new CleanUps();
    this.#cleanUps.add(cleanUp, when);
    // A start that went on after the actor was abandoned: what it still acquires is let go of at once.
    if (this.#phase === 'over') void this.#cleanUps.runAll();
  }

  become(receive: Receive<M>): void {
    // During the start what the behaviour returns comes later, and counts.
    if (this.#phase === 'running') this.cell.become(receive);
  }

  stash(message: M): void {
    const { cell } = this;
    if (this.#isEnding) {
      cell.refuse(message, 'stopped', cell.senderInHand);
      return;
    }
    this.#stash ??= new Stash(cell);
    this.#stash.put(message);
  }

  unstashAll(): void {
    if (!this.#isEnding) this.#stash?.putBack();
  }

  onIdle(afterMs: number, message: () => M): CancelTimer {
    this.receiveTimeout?.cancel();
    if (this.#isEnding) return () => undefined;
    this.#timers ??= new Timers(this.clock);
    const timeout = new ReceiveTimeout(this.#timers, {
      afterMs,
      nowMs: () => this.clock.monotonic(),
      isBusy: () => this.cell.busy || this.cell.depth > 0,
      fire: () => this.#post(message),
    });
    this.receiveTimeout = timeout;
    this.cell.alert();
    return () => timeout.cancel();
  }

  offer<C>(other: Ref<C>, message: C): Promise<boolean> {
    return offerTo(other, message);
  }

  // Start.

  /** Runs the behaviour. Its outcome is told to `starter`, or to nobody when the start came to nothing and none asked. */
  setUp(): void {
    this.cell.begin(this);
    let started: Receive<M> | Promise<Receive<M>>;
    try {
      started = this.cell.behaviour(this);
    } catch (error) {
      this.#startFailed(error);
      return;
    }
    if (!(started instanceof Promise)) {
      this.#started(started);
      return;
    }
    started.then(
      (receive) => this.#started(receive),
      (error: unknown) => this.#startFailed(error),
    );
  }

  #started(receive: Receive<M>): void {
    this.#settingUp = false;
    if (this.#phase !== 'starting') {
      this.#afterSetUp?.();
      return;
    }
    this.#phase = 'running';
    this.cell.open(receive);
    const starter = this.#starter;
    this.#starter = undefined;
    starter?.started();
    if (this.asked !== undefined) this.end();
  }

  #startFailed(thrown: unknown): void {
    this.#settingUp = false;
    if (this.#phase !== 'starting') {
      this.#afterSetUp?.();
      return;
    }
    this.#startError = { thrown };
    this.note(thrown);
    this.end();
  }

  // End.

  /** Remembers a failure: the actor ends because of it as soon as it has nothing in hand. */
  note(error: unknown): void {
    if (this.asked?.kind === 'error') return;
    this.asked = { kind: 'error', error: toEnvelope(error) };
  }

  /** Ends this actor from outside. */
  stopWithin(timeoutMs: number): void {
    this.#limitMs ??= timeoutMs;
    this.#ask({ kind: 'shutdown' });
    if (this.#phase !== 'over') this.#stopWithin(timeoutMs);
  }

  /** The handler that holds up an end that was asked for has a limit of time too. */
  limitIfAsked(): void {
    if (this.asked !== undefined) this.#stopWithin(this.#limitMs ?? this.cell.stopTimeoutMs);
  }

  end(): void {
    if (this.#isEnding) return;
    this.#phase = 'ending';
    this.#abort?.abort();
    this.cell.close();
    this.#expectNothing();
    const hasChildren = this.#children !== undefined && this.#children.size > 0;
    if (!this.#settingUp && !hasChildren && (this.#cleanUps?.isEmpty ?? true)) {
      this.#finish();
      return;
    }
    void this.#tearDown();
    this.limitIfAsked();
  }

  abandon(afterMs: number): void {
    if (this.#phase === 'over') return;
    const wasAsked = this.asked;
    if (!this.#isEnding) this.cell.close();
    this.#phase = 'ending';
    this.#abort?.abort();
    this.#expectNothing();
    for (const child of this.#children?.lastFirst() ?? []) child.abandon(afterMs);
    this.#cleanUps?.abandon();
    // A limit of 0 is a wish, not a failure.
    if (afterMs <= 0) this.asked ??= { kind: 'shutdown' };
    else this.asked = abandoned(this.cell.path, afterMs, wasAsked);
    this.#finish(wasAsked?.kind === 'shutdown');
  }

  #ask(reason: ExitReason): void {
    if (this.#isEnding) return;
    this.asked ??= reason;
    if (!this.cell.busy) {
      this.end();
      return;
    }
    this.#abort?.abort();
    if (this.cell.suspended) this.limitIfAsked();
  }

  async #tearDown(): Promise<void> {
    await this.#cleanUps?.runBeforeChildren();
    for (const child of this.#children?.lastFirst() ?? []) await child.shutdown();
    // A start that still runs comes after the children, for it may wait for one of them.
    if (this.#settingUp) {
      await new Promise<void>((resolve) => {
        this.#afterSetUp = resolve;
      });
    }
    await this.#cleanUps?.runAll();
    if (this.#phase === 'over') return;
    const failure = this.#cleanUps?.failure;
    if (failure !== undefined && this.asked?.kind !== 'error') this.asked = { kind: 'error', error: failure };
    this.#finish();
  }

  #finish(wasToldToStop = false): void {
    this.#phase = 'over';
    this.#limit?.cancel();
    const { cell } = this;
    cell.parent?.forget(cell);
    const reason = this.asked ?? { kind: 'normal' };
    const starter = this.#starter;
    this.#starter = undefined;
    // Who awaits the start, or has set the limit of time, knows by now.
    const isTold = starter !== undefined || wasToldToStop;
    cell.finish(reason, isTold);
    if (reason.kind === 'error') {
      cell.kernel.hooks.onFailure?.(cell.path, reason.error);
      if (!isTold) cell.parent?.hearFailure(cell, reason.error);
    }
    starter?.failed(this.#startError === undefined ? stoppedWhileStarting(cell.path) : this.#startError.thrown);
  }

  /**
   * As with a link in OTP: a failure that nobody watches takes the parent along, so that none goes unseen. Decided a microtask
   * later, so that who has just awaited the start of a child can still watch it.
   */
  hearFailure<C>(child: Cell<C>, error: ErrorEnvelope): void {
    // At the top a failure is reported, and the others go on.
    if (this.cell.parent === undefined) return;
    queueMicrotask(() => {
      if (!child.failedUnseen || this.#isEnding) return;
      const cause = fromEnvelope(error);
      this.#fail(new ShoalError('ACTOR_CHILD_FAILED', `child ${child.path} failed: ${error.message}`, { cause }));
    });
  }

  /** A child has ended. Its name is free again. */
  forget<C>(child: Cell<C>): void {
    this.#children?.delete(child);
  }

  // Helpers.

  get #isEnding(): boolean {
    return this.#phase === 'ending' || this.#phase === 'over';
  }

  /** A failure outside of a turn. */
  #fail(error: unknown): void {
    if (this.#isEnding) return;
    this.note(error);
    this.#ask({ kind: 'normal' });
  }

  /** Runs what the behaviour has given us to be called later: if it throws the actor has failed. */
  #protect(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** News that this actor asked for. */
  #post(toMessage: () => M): void {
    this.#protect(() => {
      const message = toMessage();
      if (this.#isEnding) this.cell.refuse(message, 'stopped', this.cell);
      else this.cell.deliver(message, this.cell);
    });
  }

  #adopt<C>(behaviour: Behaviour<C>, options: SpawnOptions): Cell<C> {
    const { kernel } = this.cell;
    // The parent of an actor never sends to it through this type, so what it may be sent does not matter here.
    const parent = this as unknown as Incarnation<never>;
    const name = options.name === undefined ? kernel.nextName() : checkedName(options.name);
    const child = new Cell<C>(kernel, parent, name, behaviour, options);
    this.#claim(child);
    return child;
  }

  #claim<C>(child: Cell<C>): void {
    const { path } = this.cell;
    if (this.#isEnding) throw new ShoalError('ACTOR_STOPPED', `${path} has ended and starts no children`);
    this.#children ??= new Children();
    this.#children.add(child, path);
  }

  #ownChild<C>(ref: Ref<C>): Cell<C> {
    const cell = asCell(ref);
    // Identity is all that is compared.
    if ((cell.parent as unknown) !== this)
      throw new ShoalError('INTERNAL', `${ref.path} is no child of ${this.cell.path}`);
    return cell;
  }

  #timer(delayMs: number, fire: () => void): CancelTimer {
    if (this.#isEnding) return () => undefined;
    this.#timers ??= new Timers(this.clock);
    return this.#timers.set(delayMs, fire);
  }

  /** No timer, no news of an end and nothing put aside is for an actor that ends. */
  #expectNothing(): void {
    this.#timers?.cancelAll();
    this.#timers = undefined;
    for (const other of this.#watched ?? []) other.unwatch(this);
    this.#watched = undefined;
    this.#stash?.refuseAll();
  }

  /** Abandons this actor after so many milliseconds; the earliest limit holds. */
  #stopWithin(ms: number): void {
    this.#limit ??= new StopLimit(this.clock, (afterMs) => this.abandon(afterMs));
    this.#limit.set(ms);
  }
}
