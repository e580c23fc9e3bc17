import { type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { Behaviour, Context, Receive } from './behaviour.ts';
import type { Cell } from './cell.ts';
import { type CleanUp, type CleanUps, runEach, startEach } from './clean-ups.ts';
import { Draining } from './draining.ts';
import { failureReason } from './failure-reason.ts';
import { dropResult } from './hooks.ts';
import type { Child, Life, Parent, State } from './life.ts';
import type { Notice } from './notice.ts';
import { noReceive } from './options.ts';
import { promiseOf } from './promise-of.ts';
import type { ExitReason, Ref } from './ref.ts';
import { Resources } from './resources.ts';
import { type Steps, take } from './steps.ts';
import { abandoned, stoppedWhileStarting } from './stop-errors.ts';
import { StopLimit } from './stop-limit.ts';

/** Whoever awaits the start of an actor. */
export interface Starter {
  started(): void;
  failed(error: unknown): void;
}

/** The start of an incarnation. */
interface SetUp {
  readonly starter: Starter | undefined;
  /** True while the behaviour sets itself up, even if the actor is already ending. */
  isUnderWay: boolean;
  failure: { readonly thrown: unknown } | undefined;
  /** Called when it is over, if the actor is ending. */
  over: (() => void) | undefined;
}

/**
 * One life of an actor, from its start to its end. Once it is over, none of its methods has an effect on the next
 * incarnation.
 *
 * The end takes these steps: the message in hand (or the start) is finished, `before-children` clean-up runs, the
 * children end from the last to the first, the other clean-up runs. At the time limit the rest is abandoned: clean-up
 * still runs, but nobody waits for it.
 */
export class Incarnation<M> implements Life<Cell<never>>, Parent {
  readonly cell: Cell<M>;
  receiveTimeout: { touch(): void; cancel(): void } | undefined;
  #endReason: ExitReason | undefined;
  /** Undefined once the actor runs. */
  #setUp: SetUp | undefined;
  #resources: Resources<M> | undefined;
  #beforeChildren: CleanUps | undefined;
  #afterChildren: CleanUps | undefined;
  #abort: AbortController | undefined;
  #limit: StopLimit | undefined;

  constructor(cell: Cell<M>, starter: Starter | undefined) {
    this.cell = cell;
    this.#setUp = { starter, isUnderWay: true, failure: undefined, over: undefined };
  }

  /** `stopped` once it is over, whatever the state of the next incarnation. */
  get state(): State {
    return this.cell.stateOf(this);
  }

  get isEnding(): boolean {
    const { state } = this;
    return state === 'stopping' || state === 'stopped';
  }

  get path(): string {
    return this.cell.path;
  }

  get name(): string {
    return this.cell.name;
  }

  get parent(): Parent | undefined {
    return this.cell.parent;
  }

  get ref(): Ref<never> | undefined {
    return this.cell.parent === undefined ? undefined : this.cell;
  }

  get shard(): string | undefined {
    return this.#resources?.shard;
  }

  get children(): Iterable<Cell<never>> {
    return this.#resources?.children ?? [];
  }

  get resources(): Resources<M> {
    this.#resources ??= new Resources(this.cell, this);
    return this.#resources;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#endReason !== undefined || this.isEnding) this.#abort.abort();
    return this.#abort.signal;
  }

  get endReason(): ExitReason | undefined {
    return this.#endReason;
  }

  // Start.

  /** Runs the behaviour. The starter is told the outcome. */
  setUp(context: Context<M>): void {
    this.cell.begin(this);
    let started: Receive<M> | PromiseLike<Receive<M>>;
    let pending: Promise<Receive<M>> | undefined;
    try {
      started = this.cell.behaviour(context);
      pending = promiseOf(started);
    } catch (error) {
      this.#startFailed(error);
      return;
    }
    if (pending === undefined) {
      // `promiseOf` has found no promise.
      this.#started(started as Receive<M>);
      return;
    }
    pending.then(
      (receive) => this.#started(receive),
      (error: unknown) => this.#startFailed(error),
    );
  }

  #started(receive: Receive<M>): void {
    // Otherwise each message would be taken and lost.
    if (typeof receive !== 'function') return this.#startFailed(noReceive(this.path, receive));
    if (this.#isOver()) return;
    const starter = this.#setUp?.starter;
    this.#setUp = undefined;
    this.cell.open(receive);
    starter?.started();
    this.receiveTimeout?.touch();
    if (this.#endReason !== undefined) this.end();
  }

  #startFailed(thrown: unknown): void {
    const setUp = this.#setUp;
    if (this.#isOver() || setUp === undefined) return;
    setUp.failure = { thrown };
    this.noteFailure(thrown);
    this.end();
  }

  /** The behaviour has set itself up, or failed. @returns whether the actor is ending */
  #isOver(): boolean {
    const setUp = this.#setUp;
    if (setUp !== undefined) setUp.isUnderWay = false;
    if (this.state === 'starting') return false;
    setUp?.over?.();
    return true;
  }

  // End.

  noteFailure(error: unknown): void {
    if (this.#endReason?.kind === 'error') return;
    this.#endBecause(failureReason(error));
  }

  failHandling(error: unknown): void {
    const { behaviour, kernel, path } = this.cell;
    if (this.state !== 'stopped' && resumes(behaviour, error)) kernel.hooks.onFailure?.(path, toEnvelope(error));
    else this.noteFailure(error);
  }

  /** A failure outside of a turn. */
  fail(error: unknown): void {
    if (this.isEnding) return;
    this.noteFailure(error);
    this.#requestEnd({ kind: 'normal' });
  }

  /** Sends the actor a message that it has asked for. Such a message always finds room. */
  post(toMessage: () => M, notice?: Notice): void {
    this.protect(() => {
      const message = toMessage();
      const { cell } = this;
      notice?.markSent();
      if (!this.isEnding) cell.deliver(message, notice ?? cell);
      else if (notice === undefined) cell.refuse(message, 'stopped', cell);
    });
  }

  /** Runs a function that the behaviour has passed. If it throws, the actor has failed. */
  protect(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the actor from inside, after the message in hand. */
  exit(): void {
    // The start, like a message in hand, is finished first.
    if (this.state !== 'starting') this.#requestEnd({ kind: 'normal' });
    else if (this.#endReason === undefined) this.#endBecause({ kind: 'normal' });
  }

  stop(timeoutMs: number): void {
    this.#limit ??= this.#newLimit(timeoutMs);
    this.#requestEnd({ kind: timeoutMs === 0 ? 'killed' : 'shutdown' });
    if (this.state !== 'stopped') this.#limit.set(timeoutMs);
  }

  drain(timeoutMs: number): void {
    if (this.isEnding || this.isDraining || this.#endReason !== undefined) return;
    this.receiveTimeout?.cancel();
    this.#resources?.timers.cancelAll();
    const { cell } = this;
    const draining = new Draining({
      clock: cell.kernel.clock,
      timeoutMs,
      isDone: () => this.state === 'running' && this.#endReason === undefined && !cell.busy && cell.depth === 0,
      stop: (leftMs) => this.stop(leftMs + cell.terms.stopTimeoutMs),
    });
    // It is touched at the end of each turn.
    this.receiveTimeout = draining;
    cell.closeMailbox();
    cell.alert();
    draining.touch();
  }

  get isDraining(): boolean {
    return this.receiveTimeout instanceof Draining;
  }

  limitIfEnding(): void {
    if (this.#endReason === undefined) return;
    this.#limit ??= this.#newLimit(this.cell.terms.stopTimeoutMs);
    this.#limit.set(this.#limit.firstMs);
  }

  end(): void {
    if (this.isEnding) return;
    this.#close();
    if (this.#endsAtOnce) {
      this.#finish();
      return;
    }
    void this.#tearDown();
    this.limitIfEnding();
  }

  /** There is nothing that the end must wait for. */
  get #endsAtOnce(): boolean {
    const isSetUp = this.#setUp?.isUnderWay !== true;
    const hasCleanUps = this.#beforeChildren !== undefined || this.#afterChildren !== undefined;
    return isSetUp && this.#resources?.hasChildren !== true && !hasCleanUps;
  }

  *abandoning(afterMs: number): Steps {
    if (this.state === 'stopped') return;
    const reason = this.#endReason;
    if (!this.isEnding) this.#close();
    for (const child of this.#resources?.childrenLastFirst ?? []) {
      const steps = child.abandoning(afterMs);
      if (steps !== undefined) yield steps;
    }
    startEach(() => this.#nextCleanUp());
    // A limit of 0 asks for an end at once. That it is reached is no failure.
    if (afterMs > 0) this.#endBecause(abandoned(this.path, afterMs, reason));
    else if (reason === undefined) this.#endBecause({ kind: 'killed' });
    this.#finish(reason?.kind === 'shutdown' || reason?.kind === 'killed');
  }

  #requestEnd(reason: ExitReason): void {
    if (this.isEnding) return;
    if (this.#endReason === undefined) this.#endBecause(reason);
    if (!this.cell.busy) {
      this.end();
      return;
    }
    this.#abort?.abort();
    if (this.cell.suspended) this.limitIfEnding();
  }

  #endBecause(reason: ExitReason): void {
    this.#endReason = reason;
    this.cell.alert();
  }

  /** From now on the actor takes no messages. */
  #close(): void {
    this.cell.close();
    this.#abort?.abort();
    this.#resources?.cancelAll();
  }

  async #tearDown(): Promise<void> {
    const early = await runEach(() => this.#nextBeforeChildren());
    for (const child of this.#resources?.childrenLastFirst ?? []) {
      const drainMs = this.receiveTimeout instanceof Draining ? this.receiveTimeout.childrenMs : 0;
      await (drainMs > 0 ? child.drain(drainMs) : child.shutdown());
    }
    // The children end first, because a start that still runs may wait for one of them.
    const setUp = this.#setUp;
    if (setUp?.isUnderWay === true) {
      await new Promise<void>((resolve) => {
        setUp.over = resolve;
      });
    }
    const late = await runEach(() => this.#nextCleanUp());
    if (this.state === 'stopped') return;
    const failure = early ?? late;
    if (failure !== undefined && this.#endReason?.kind !== 'error') this.#endBecause({ kind: 'error', error: failure });
    this.#finish();
  }

  #finish(wasStopped = false): void {
    this.#limit?.cancel();
    if (this.isDraining) this.receiveTimeout?.cancel();
    const { cell } = this;
    cell.parent?.forget(cell);
    const reason = this.#endReason ?? { kind: 'normal' };
    const { starter, failure } = this.#setUp ?? {};
    // Whoever awaits the start, or has set the time limit, knows of the end.
    const isTold = starter !== undefined || wasStopped;
    cell.finish(reason, isTold);
    if (reason.kind === 'error') {
      cell.kernel.hooks.onFailure?.(cell.path, reason.error);
      if (!isTold) cell.parent?.hearFailure(cell, reason.error);
    }
    starter?.failed(failure === undefined ? stoppedWhileStarting(cell.path) : failure.thrown);
  }

  /** Abandons the actor when it is set. */
  #newLimit(firstMs: number): StopLimit {
    return new StopLimit(this.cell.kernel.clock, firstMs, (afterMs) => take(this.abandoning(afterMs)));
  }

  // Clean-up.

  addCleanUp(cleanUp: CleanUp, when: 'after-children' | 'before-children'): void {
    if (when === 'before-children') this.#beforeChildren = { cleanUp, earlier: this.#beforeChildren };
    else this.#afterChildren = { cleanUp, earlier: this.#afterChildren };
    // The start went on after the actor was abandoned: whatever it still acquires is released at once.
    if (this.state === 'stopped') startEach(() => this.#nextCleanUp());
  }

  /** Takes it out of its list. */
  #nextBeforeChildren(): CleanUp | undefined {
    const next = this.#beforeChildren;
    this.#beforeChildren = next?.earlier;
    return next?.cleanUp;
  }

  /** Those that are left, and those that are added meanwhile. */
  #nextCleanUp(): CleanUp | undefined {
    const before = this.#nextBeforeChildren();
    if (before !== undefined) return before;
    const next = this.#afterChildren;
    this.#afterChildren = next?.earlier;
    return next?.cleanUp;
  }

  // Children.

  forget(child: Child): void {
    this.#resources?.forgetChild(child);
  }

  /**
   * A failure ends the parent too, as with a link in OTP, unless the parent watches that child. This is decided a
   * microtask later, and after the outcomes of starts that wait for the event loop, so that a parent that has just
   * awaited the start of a child can still watch it.
   */
  hearFailure(child: Child, error: ErrorEnvelope): void {
    // The failure of an actor at the top is reported, and the others go on.
    if (this.cell.parent === undefined) return;
    const decide = (): void => {
      if (!child.failedUnseen) return;
      const cause = fromEnvelope(error);
      const text = `child ${child.path} failed: ${shortened(error.message)}`;
      this.fail(new ShoalError('ACTOR_CHILD_FAILED', text, { cause }));
    };
    this.cell.kernel.pace.run(() => queueMicrotask(decide));
  }
}

/** A behaviour that fails at this decision, or says something else, does not resume. */
function resumes(behaviour: Pick<Behaviour<never>, 'resumes'>, error: unknown): boolean {
  if (behaviour.resumes === undefined) return false;
  try {
    const answer: unknown = behaviour.resumes(error);
    // An async function decides nothing, and its error must not end the process.
    if (typeof answer !== 'boolean') dropResult(answer);
    return answer === true;
  } catch {
    return false;
  }
}

/** Each parent adds to the message. Its beginning says who failed next, and its end why the first one did. */
const MESSAGE_CHARS_MAX = 1_000;

function shortened(message: string): string {
  if (message.length <= MESSAGE_CHARS_MAX) return message;
  const half = MESSAGE_CHARS_MAX / 2;
  return `${message.slice(0, half)} ... ${message.slice(-half)}`;
}
