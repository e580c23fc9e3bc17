import { type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { type Addressee, addresseeOf } from './addressee.ts';
import type { Behaviour, Context, Receive, SpawnOptions } from './behaviour.ts';
import { asCell, Cell } from './cell.ts';
import { CleanUps } from './clean-ups.ts';
import type { CancelTimer, Clock } from './clock.ts';
import type { Exit, ExitReason, Ref } from './ref.ts';

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
  /** Why this actor is to end as soon as it has nothing in hand. */
  asked: ExitReason | undefined;
  #phase: 'starting' | 'running' | 'ending' | 'over' = 'starting';
  #starter: Starter | undefined;
  #startError: { readonly thrown: unknown } | undefined;
  /** True while the behaviour is setting itself up, also when the end has come in between. */
  #settingUp = true;
  #afterSetUp: (() => void) | undefined;
  #children: Map<string, Cell<never>> | undefined;
  #watched: Set<Addressee> | undefined;
  #timers: Set<CancelTimer> | undefined;
  #cleanUps: CleanUps | undefined;
  #abort: AbortController | undefined;
  #limitMs: number | undefined;
  #limitAtMs = Number.POSITIVE_INFINITY;
  #cancelLimit: CancelTimer | undefined;

  constructor(cell: Cell<M>, starter: Starter | undefined) {
    this.cell = cell;
    this.#starter = starter;
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
      this.cell.tell(message);
    });
  }

  every(intervalMs: number, message: () => M): CancelTimer {
    const tick = (): void => {
      cancel = this.#timer(intervalMs, tick);
      this.#protect(() => {
        this.cell.tell(message());
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
    if (this.#phase !== 'over') this.#limit(timeoutMs);
  }

  /** The handler that holds up an end that was asked for has a limit of time too. */
  limitIfAsked(): void {
    if (this.asked !== undefined) this.#limit(this.#limitMs ?? this.cell.stopTimeoutMs);
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
    for (const child of this.#lastFirst()) child.abandon(afterMs);
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
    for (const child of this.#lastFirst()) await child.shutdown();
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
    this.#cancelLimit?.();
    const { cell } = this;
    cell.parent?.forget(cell);
    const reason = this.asked ?? { kind: 'normal' };
    cell.finish(reason);
    const starter = this.#starter;
    this.#starter = undefined;
    if (reason.kind === 'error') {
      cell.kernel.onFailure(cell.path, reason.error);
      // Who awaits the start, or has set the limit of time, knows by now.
      if (starter === undefined && !wasToldToStop) cell.parent?.hearFailure(cell, reason.error);
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
    const known: unknown = this.#children?.get(child.name);
    if (known === child) this.#children?.delete(child.name);
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
      if (this.#isEnding) this.cell.refuse(message, 'stopped');
      else this.cell.deliver(message);
    });
  }

  #adopt<C>(behaviour: Behaviour<C>, options: SpawnOptions): Cell<C> {
    const { kernel } = this.cell;
    // The parent of an actor never sends to it through this type, so what it may be sent does not matter here.
    const parent = this as unknown as Incarnation<never>;
    const child = new Cell<C>(kernel, parent, options.name ?? kernel.nextName(), behaviour, options);
    this.#claim(child);
    return child;
  }

  #claim<C>(child: Cell<C>): void {
    const { path } = this.cell;
    if (this.#isEnding) throw new ShoalError('ACTOR_STOPPED', `${path || '/'} has ended and starts no children`);
    if (this.#children?.has(child.name) === true) {
      throw new ShoalError(
        'ACTOR_NAME_TAKEN',
        `${path || '/'} already has a child named "${child.name}"; stop it or choose another`,
      );
    }
    this.#children ??= new Map();
    // As in #adopt: a map of children is never used to send.
    this.#children.set(child.name, child as unknown as Cell<never>);
  }

  #ownChild<C>(ref: Ref<C>): Cell<C> {
    const cell = asCell(ref);
    // Identity is all that is compared.
    if ((cell.parent as unknown) !== this)
      throw new ShoalError('INTERNAL', `${ref.path} is no child of ${this.cell.path}`);
    return cell;
  }

  #lastFirst(): Cell<never>[] {
    return [...this.children].reverse();
  }

  #timer(delayMs: number, fire: () => void): CancelTimer {
    if (this.#isEnding) return () => undefined;
    this.#timers ??= new Set();
    const timers = this.#timers;
    const cancelTimer = this.clock.timer(delayMs, () => {
      timers.delete(cancel);
      fire();
    });
    const cancel: CancelTimer = () => {
      timers.delete(cancel);
      cancelTimer();
    };
    timers.add(cancel);
    return cancel;
  }

  /** No timer and no news of an end is for an actor that ends. */
  #expectNothing(): void {
    for (const cancel of this.#timers ?? []) cancel();
    this.#timers = undefined;
    for (const other of this.#watched ?? []) other.unwatch(this);
    this.#watched = undefined;
  }

  /** Abandons this actor after so many milliseconds; the earliest limit holds. */
  #limit(ms: number): void {
    if (ms <= 0) {
      this.abandon(ms);
      return;
    }
    const atMs = this.clock.monotonic() + ms;
    if (atMs >= this.#limitAtMs) return;
    this.#limitAtMs = atMs;
    this.#cancelLimit?.();
    this.#cancelLimit = this.clock.timer(ms, () => this.abandon(ms));
  }
}

function stoppedWhileStarting(path: string): ShoalError {
  return new ShoalError('ACTOR_STOPPED', `${path} was stopped while it started`);
}

function abandoned(path: string, afterMs: number, asked: ExitReason | undefined): ExitReason {
  const error = new ShoalError('ACTOR_STOP_TIMEOUT', `${path} did not stop within ${afterMs} ms and was abandoned`, {
    details: { timeoutMs: afterMs },
    cause: asked?.kind === 'error' ? fromEnvelope(asked.error) : undefined,
  });
  return { kind: 'error', error: toEnvelope(error) };
}
