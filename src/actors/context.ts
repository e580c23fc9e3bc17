import { ShoalError, toEnvelope } from '../errors.ts';
import { Adapter } from './adapter.ts';
import { addresseeOf } from './addressee.ts';
import { asCell } from './as-cell.ts';
import { ask } from './ask.ts';
import type { ActorSystem, AskOutcome, Behaviour, Context, Receive, SpawnOptions } from './behaviour.ts';
import { Cell } from './cell.ts';
import { checked, FUNCTION, oneOf, PROMISE, rule, TEXT } from './checks.ts';
import { type CleanUp, isCleanUp } from './clean-ups.ts';
import type { CancelTimer, Clock } from './clock.ts';
import { Incarnation, type Starter } from './incarnation.ts';
import { KeyedTimers } from './keyed-timers.ts';
import { Notice } from './notice.ts';
import { type OfferOptions, offer } from './offer.ts';
import { checkedCount, checkedDelay, checkedLimit, checkNamedSpawnOptions, MAKER } from './options.ts';
import { ReceiveTimeout } from './receive-timeout.ts';
import type { Exit, Ref } from './ref.ts';
import { startWithin } from './start-within.ts';
import type { TimerScheduler } from './timer-scheduler.ts';

/**
 * Starts an incarnation of an actor.
 * @param starter told how the start went.
 * @returns the context that its behaviour has
 */
export function startActor<M>(cell: Cell<M>, starter?: Starter): Context<M> {
  const life = new Incarnation(cell, starter);
  const context = new ActorContext(life);
  life.setUp(context);
  return context;
}

const CLEAN_UP = rule('a function, or an object with Symbol.dispose or Symbol.asyncDispose', isCleanUp);
const WHEN = oneOf('after-children', 'before-children');

/** What a behaviour may do, for one incarnation. After its end it does nothing. */
class ActorContext<M> implements Context<M> {
  readonly #life: Incarnation<M>;

  constructor(life: Incarnation<M>) {
    this.#life = life;
  }

  get self(): Ref<M> {
    return this.#life.cell;
  }

  get parent(): Ref<never> | undefined {
    return this.#life.cell.parent?.ref;
  }

  get system(): ActorSystem {
    return this.#life.cell.kernel.system;
  }

  get clock(): Clock {
    return this.#life.cell.kernel.clock;
  }

  get signal(): AbortSignal {
    return this.#life.signal;
  }

  spawn<C>(behaviour: Behaviour<C>, options: SpawnOptions = {}): Ref<C> {
    const child = this.#newChild(behaviour, options);
    startActor(child);
    return child;
  }

  start<C>(behaviour: Behaviour<C>, options: SpawnOptions = {}): Promise<Ref<C>> {
    return this.#starting((resolve, failed) => {
      const child = this.#newChild(behaviour, options);
      startActor(child, { started: () => resolve(child), failed });
    });
  }

  restart<C>(ref: Ref<C>): Promise<void> {
    return this.#starting((started, failed) => {
      const child = this.#ownChild(ref);
      if (child.state !== 'stopped')
        throw new ShoalError('ACTOR_RUNNING', `${child.path} is ${child.state}, not stopped`);
      this.#add(child);
      startActor(child, { started, failed });
    });
  }

  async stop(ref: Ref<never>, timeoutMs?: number): Promise<void> {
    await this.#life.cell.kernel.pace.through(this.#ownChild(ref).shutdown(checkedLimit(timeoutMs)));
  }

  async drain(ref: Ref<never>, timeoutMs?: number): Promise<void> {
    await this.#life.cell.kernel.pace.through(this.#ownChild(ref).drain(checkedLimit(timeoutMs)));
  }

  exit(): void {
    this.#life.exit();
  }

  watch(other: Ref<never>, toMessage: (exit: Exit) => M): void {
    const actor = addresseeOf(other);
    checked('toMessage', toMessage, FUNCTION);
    if (this.#life.isEnding) return;
    this.#life.resources.watch(actor, toMessage);
  }

  unwatch(other: Ref<never>): void {
    this.#life.resources.unwatch(addresseeOf(other));
  }

  after(delayMs: number, message: M): CancelTimer {
    checkedDelay('delayMs', delayMs);
    const notice = new Notice(this.#life.cell);
    const cancel = this.#timer(delayMs, () => this.#send(message, notice));
    return () => this.#cancel(cancel, notice);
  }

  every(intervalMs: number, message: () => M): CancelTimer {
    checkedDelay('intervalMs', intervalMs);
    checked('message', message, MAKER);
    const notice = new Notice(this.#life.cell);
    const tick = (): void => {
      cancel = this.#timer(intervalMs, tick);
      this.#life.protect(() => this.#send(message(), notice));
    };
    let cancel = this.#timer(intervalMs, tick);
    return () => this.#cancel(cancel, notice);
  }

  get timers(): TimerScheduler<M> {
    const { resources } = this.#life;
    resources.keyedTimers ??= this.#keyedTimers();
    return resources.keyedTimers;
  }

  pipe<T>(promise: Promise<T>, done: (value: T) => M, failed: (error: unknown) => M): void {
    void checked('promise', promise, PROMISE);
    checked('done', done, FUNCTION);
    checked('failed', failed, FUNCTION);
    promise.then(
      (value) => this.#life.post(() => done(value)),
      (error: unknown) => this.#life.post(() => failed(error)),
    );
  }

  ask<C, R>(
    to: Ref<C>,
    toRequest: (replyTo: Ref<R>) => C,
    onOutcome: (outcome: AskOutcome<R>) => M,
    timeoutMs: number,
  ): void {
    const life = this.#life;
    checked('toRequest', toRequest, FUNCTION);
    checked('onOutcome', onOutcome, FUNCTION);
    if (life.isEnding) return;
    const replyTo = ask<C, R>(
      life.cell.kernel,
      { to, toMessage: toRequest, timeoutMs },
      {
        replied: (reply) => this.#life.post(() => onOutcome({ ok: true, reply })),
        failed: (error) => {
          // It gives its asks up when it ends.
          if (!life.isEnding) this.#life.post(() => onOutcome({ ok: false, error: toEnvelope(error) }));
        },
      },
    );
    life.resources.addAsk(replyTo);
  }

  adapt<A>(toMessage: (message: A) => M): Ref<A> {
    return new Adapter(this.#life, checked('toMessage', toMessage, FUNCTION));
  }

  onStop(cleanUp: CleanUp, when: 'after-children' | 'before-children' = 'after-children'): void {
    checked('cleanUp', cleanUp, CLEAN_UP);
    checked('when', when, WHEN);
    this.#life.addCleanUp(cleanUp, when);
  }

  become(receive: Receive<M>): void {
    checked('receive', receive, FUNCTION);
    // During the start the receive that the behaviour returns counts, because it comes later.
    if (this.#life.state === 'running') this.#life.cell.become(receive);
  }

  stash(message: M): void {
    const { cell, isEnding, resources } = this.#life;
    if (isEnding) cell.refuse(message, 'stopped', cell.senderInHand);
    else resources.stash.put(message);
  }

  unstash(count: number, map?: (message: M) => M): void {
    checkedCount(count);
    if (map !== undefined) checked('map', map, FUNCTION);
    if (!this.#life.isEnding) this.#life.resources.stash.putBack(count, map);
  }

  unstashAll(): void {
    this.unstash(Number.POSITIVE_INFINITY);
  }

  onIdle(afterMs: number, message: () => M): CancelTimer {
    const life = this.#life;
    checkedDelay('afterMs', afterMs);
    checked('message', message, MAKER);
    if (life.isEnding || life.isDraining) return () => undefined;
    life.receiveTimeout?.cancel();
    const { cell } = life;
    const notice = new Notice(cell);
    const timeout = new ReceiveTimeout(life.resources.timers, {
      afterMs,
      nowMs: () => this.clock.monotonic(),
      isBusy: () => cell.busy || cell.depth > 0,
      fire: () => this.#life.post(message, notice),
      cancelled: () => this.#revoke(notice),
    });
    life.receiveTimeout = timeout;
    cell.alert();
    return () => timeout.cancel();
  }

  offer<C>(other: Ref<C>, message: C, options?: OfferOptions): Promise<boolean> {
    const { pace, clock } = this.#life.cell.kernel;
    return pace.through(offer(clock, other, message, options));
  }

  standsFor(shard: string): void {
    this.#life.resources.shard = checked('shard', shard, TEXT);
  }

  /** Starts that are awaited one after the other, whether they fail or not, keep no timers waiting. */
  #starting<T>(start: (started: (value: T) => void, failed: (error: unknown) => void) => void): Promise<T> {
    const { pace } = this.#life.cell.kernel;
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => pace.run(() => reject(error));
      try {
        start((value) => pace.run(() => resolve(value)), failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  #newChild<C>(behaviour: Behaviour<C>, options: SpawnOptions): Cell<C> {
    const { kernel } = this.#life.cell;
    checked('behaviour', behaviour, FUNCTION);
    checkNamedSpawnOptions(options);
    const name = options.name ?? kernel.nextName();
    const child = new Cell<C>(kernel, this.#life, name, startWithin(behaviour, options.startTimeoutMs), options);
    this.#add(child);
    return child;
  }

  #add<C>(child: Cell<C>): void {
    const life = this.#life;
    if (life.isEnding) throw new ShoalError('ACTOR_STOPPED', `${life.path} has ended and starts no children`);
    life.resources.addChild(child);
  }

  #ownChild<C>(ref: Ref<C>): Cell<C> {
    const child = asCell(ref);
    if (child.parent !== this.#life) {
      throw new ShoalError('ACTOR_REF_INVALID', `${ref.path} is no child of ${this.#life.path}`);
    }
    return child;
  }

  #timer(delayMs: number, fire: () => void): CancelTimer {
    return this.#life.isEnding ? () => undefined : this.#life.resources.timers.set(delayMs, fire);
  }

  #keyedTimers(): KeyedTimers<M> {
    const life = this.#life;
    return new KeyedTimers<M>({
      get depth() {
        return life.cell.depth;
      },
      get isEnding() {
        return life.isEnding;
      },
      get isIdle() {
        return !life.cell.busy && life.cell.depth === 0 && !life.resources.hasStashed;
      },
      nowMs: () => this.clock.monotonic(),
      notice: () => new Notice(life.cell),
      timer: (delayMs, fire) => this.#timer(delayMs, fire),
      send: (message, notice) => this.#life.protect(() => this.#send(message(), notice)),
      revoke: (notice) => this.#revoke(notice),
    });
  }

  /** Cancels a timer, also the message that it has sent already. */
  #cancel(cancelTimer: CancelTimer, notice: Notice): void {
    cancelTimer();
    this.#revoke(notice);
  }

  #revoke(notice: Notice): void {
    if (notice.isSent) this.#life.cell.marks.revoke(notice);
  }

  /** Sends the actor a message of its own, by the rules of its mailbox. */
  #send(message: M, notice: Notice): void {
    notice.markSent();
    this.#life.cell.takeOwn(message, notice);
  }
}
