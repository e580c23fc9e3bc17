import { type ErrorEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { Behaviour, Context, Receive, SpawnOptions } from './behaviour.ts';
import type { CancelTimer, Clock } from './clock.ts';
import type { Undelivered } from './dead-letters.ts';
import type { Mailbox, Overflow } from './mailbox.ts';
import type { Exit, ExitReason, Ref } from './ref.ts';
import type { Runnable } from './scheduler.ts';
import type { Kernel } from './system.ts';

/** Messages an actor handles before the next one gets its turn. */
const THROUGHPUT = 64;
const CAPACITY_DEFAULT = 65_536;
const STOP_TIMEOUT_MS_DEFAULT = 30_000;

type CleanUp = () => undefined | void | Promise<void>;

type State = 'starting' | 'running' | 'stopping' | 'stopped';

/** A watcher is told at most once. */
type Watcher = (exit: Exit) => void;

const NORMAL: ExitReason = { kind: 'normal' };
const SHUTDOWN: ExitReason = { kind: 'shutdown' };

/** One actor: its ref, its context, its mailbox and its life, in one object so that an actor stays small. */
export class Cell<M> implements Ref<M>, Context<M>, Runnable {
  readonly name: string;
  readonly #kernel: Kernel;
  readonly #parent: Cell<never> | undefined;
  readonly #behaviour: Behaviour<M>;
  readonly #capacity: number;
  readonly #overflow: Overflow;
  readonly #stopTimeoutMs: number;
  readonly #mailbox: Mailbox<M>;
  #state: State = 'starting';
  #incarnation = 0;
  #receive: Receive<M> | undefined;
  /** True while the scheduler holds this actor, or while a promise of its handler is unsettled. */
  #scheduled = false;
  #busy = false;
  #exiting: ExitReason | undefined;
  #children: Map<string, Cell<never>> | undefined;
  #watchers: Map<object, Watcher> | undefined;
  #watched: Set<Cell<never>> | undefined;
  #timers: Set<CancelTimer> | undefined;
  #beforeChildren: CleanUp[] | undefined;
  #cleanUps: CleanUp[] | undefined;
  #ended: Promise<void> | undefined;
  #lastExit: ExitReason = NORMAL;

  constructor(
    kernel: Kernel,
    parent: Cell<never> | undefined,
    name: string,
    behaviour: Behaviour<M>,
    options: SpawnOptions,
  ) {
    this.#kernel = kernel;
    this.#mailbox = kernel.mailbox();
    this.#parent = parent;
    this.name = name;
    this.#behaviour = behaviour;
    this.#capacity = options.capacity ?? CAPACITY_DEFAULT;
    this.#overflow = options.overflow ?? 'fail';
    this.#stopTimeoutMs = options.stopTimeoutMs ?? STOP_TIMEOUT_MS_DEFAULT;
  }

  get self(): Ref<M> {
    return this;
  }

  get clock(): Clock {
    return this.#kernel.clock;
  }

  get path(): string {
    return this.#parent === undefined ? this.name : `${this.#parent.path}/${this.name}`;
  }

  get state(): State {
    return this.#state;
  }

  get lastExit(): ExitReason {
    return this.#lastExit;
  }

  get depth(): number {
    return this.#mailbox.length;
  }

  get children(): Iterable<Cell<never>> {
    return this.#children?.values() ?? [];
  }

  tell(message: M): boolean {
    if (this.#state === 'stopping' || this.#state === 'stopped') return this.#refuse(message, 'stopped');
    if (this.#mailbox.length >= this.#capacity && !this.#makeRoom(message)) return false;
    this.#deliver(message);
    return true;
  }

  /** Runs the behaviour; resolves when the actor is running, rejects if its start failed. */
  async begin(): Promise<void> {
    const incarnation = ++this.#incarnation;
    this.#state = 'starting';
    this.#ended = undefined;
    this.#exiting = undefined;
    try {
      const started = this.#behaviour(this);
      const receive = started instanceof Promise ? await started : started;
      if (this.#incarnation !== incarnation || this.#state !== 'starting') throw stoppedWhileStarting(this.path);
      this.#receive = receive;
      this.#state = 'running';
      if (this.#mailbox.length > 0) this.#wake();
    } catch (error) {
      if (this.#incarnation === incarnation) await this.#end({ kind: 'error', error: toEnvelope(error) });
      throw error;
    }
    this.#endIfAsked();
  }

  turn(): boolean {
    const incarnation = this.#incarnation;
    for (let handled = 0; handled < THROUGHPUT; handled++) {
      if (this.#state !== 'running') break;
      const message = this.#mailbox.shift();
      if (message === undefined || this.#receive === undefined) break;
      this.#busy = true;
      this.#kernel.current = this;
      try {
        const pending = this.#receive(message);
        if (pending instanceof Promise) {
          this.#suspend(pending, incarnation);
          return false;
        }
      } catch (error) {
        this.#fail(error, incarnation);
      } finally {
        this.#kernel.current = undefined;
      }
      this.#busy = false;
      this.#endIfAsked();
      if (incarnation !== this.#incarnation) break;
    }
    this.#scheduled = this.#state === 'running' && this.#mailbox.length > 0;
    return this.#scheduled;
  }

  spawn<C>(behaviour: Behaviour<C>, options: SpawnOptions = {}): Ref<C> {
    const child = this.#adopt(behaviour, options);
    // A start that fails ends the child, and its watchers or its parent learn of that.
    child.begin().catch(() => undefined);
    return child;
  }

  async start<C>(behaviour: Behaviour<C>, options: SpawnOptions = {}): Promise<Ref<C>> {
    const child = this.#adopt(behaviour, options, true);
    await child.begin();
    return child;
  }

  async restart<C>(ref: Ref<C>): Promise<void> {
    const child = this.#child(ref);
    if (child.#state !== 'stopped') throw new ShoalError('INTERNAL', `${child.path} is ${child.#state}, not stopped`);
    this.#claim(child.name, child);
    await child.begin();
  }

  async stop(ref: Ref<never>, timeoutMs?: number): Promise<void> {
    const child = this.#child(ref);
    await child.shutdown(timeoutMs);
  }

  exit(): void {
    this.#exiting ??= NORMAL;
    if (!this.#busy) this.#endIfAsked();
  }

  watch(other: Ref<never>, toMessage: (exit: Exit) => M): void {
    const cell = asCell(other);
    const tellWatcher = (exit: Exit): void => {
      this.#watched?.delete(cell);
      if (this.#state === 'running' || this.#state === 'starting') this.#deliver(toMessage(exit));
    };
    if (cell.#state === 'stopped') {
      tellWatcher({ path: cell.path, reason: cell.#lastExit });
      return;
    }
    cell.#watchers ??= new Map();
    cell.#watchers.set(this, tellWatcher);
    this.#watched ??= new Set();
    this.#watched.add(cell);
  }

  unwatch(other: Ref<never>): void {
    const cell = asCell(other);
    cell.#watchers?.delete(this);
    this.#watched?.delete(cell);
  }

  /** Tells `listener` once of the end of this actor; for whoever is no actor. @returns how to take that back. */
  onEnd(listener: Watcher): () => void {
    const key = {};
    this.#watchers ??= new Map();
    this.#watchers.set(key, listener);
    return () => this.#watchers?.delete(key);
  }

  after(delayMs: number, message: M): CancelTimer {
    return this.#timer(delayMs, () => this.tell(message));
  }

  every(intervalMs: number, message: () => M): CancelTimer {
    let cancel: CancelTimer = () => undefined;
    const tick = (): void => {
      cancel = this.#timer(intervalMs, tick);
      this.tell(message());
    };
    cancel = this.#timer(intervalMs, tick);
    return () => cancel();
  }

  pipe<T>(promise: Promise<T>, done: (value: T) => M, failed: (error: unknown) => M): void {
    const incarnation = this.#incarnation;
    const deliver = (message: M): void => {
      if (this.#incarnation === incarnation) this.tell(message);
    };
    promise.then(
      (value) => deliver(done(value)),
      (error: unknown) => deliver(failed(error)),
    );
  }

  onStop(cleanUp: CleanUp, when: 'after-children' | 'before-children' = 'after-children'): void {
    if (this.#state === 'stopped') {
      // The start went on after the actor was stopped; what it still acquires is let go of at once.
      void Promise.resolve(cleanUp()).catch(() => undefined);
      return;
    }
    if (when === 'before-children') {
      this.#beforeChildren ??= [];
      this.#beforeChildren.push(cleanUp);
      return;
    }
    this.#cleanUps ??= [];
    this.#cleanUps.push(cleanUp);
  }

  /** Ends this actor from outside. Resolves when it has ended, or was abandoned at its time limit. */
  async shutdown(timeoutMs = this.#stopTimeoutMs): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#exiting ??= SHUTDOWN;
    const ended = new Promise<void>((resolve) => this.onEnd(() => resolve()));
    if (!this.#busy) this.#endIfAsked();
    const cancel = this.clock.timer(timeoutMs, () => this.#abandon(timeoutMs));
    await ended;
    cancel();
  }

  #adopt<C>(behaviour: Behaviour<C>, options: SpawnOptions, awaited = false): Cell<C> {
    if (this.#state === 'stopped')
      throw new ShoalError('ACTOR_STOPPED', `${this.path} has ended and starts no children`);
    const name = options.name ?? this.#kernel.nextName();
    // The parent of a cell never sends to it through this type, so what it may be sent does not matter here.
    const parent = this as unknown as Cell<never>;
    const child = new Cell<C>(this.#kernel, parent, name, behaviour, options);
    this.#claim(name, child);
    if (awaited) child.#reportedByCaller = true;
    return child;
  }

  /** A failed start that somebody awaits is theirs to handle; it is not reported a second time to the parent. */
  #reportedByCaller = false;

  #claim<C>(name: string, child: Cell<C>): void {
    if (this.#children?.has(name) === true) {
      throw new ShoalError(
        'ACTOR_NAME_TAKEN',
        `${this.path} already has a child named "${name}"; stop it or choose another`,
      );
    }
    this.#children ??= new Map();
    // As in #adopt: a map of children is never used to send.
    this.#children.set(name, child as unknown as Cell<never>);
  }

  #child<C>(ref: Ref<C>): Cell<C> {
    const cell = asCell(ref);
    // Identity is all that is compared.
    if ((cell.#parent as unknown) !== this) throw new ShoalError('INTERNAL', `${ref.path} is no child of ${this.path}`);
    return cell;
  }

  #deliver(message: M): void {
    this.#mailbox.push(message);
    if (!this.#scheduled && this.#state === 'running') this.#wake();
  }

  #wake(): void {
    this.#scheduled = true;
    this.#kernel.scheduler.schedule(this);
  }

  #makeRoom(message: M): boolean {
    if (this.#overflow === 'fail') return this.#refuse(message, 'mailbox-full');
    if (this.#overflow === 'drop-newest') return this.#refuse(message, 'dropped');
    const oldest = this.#mailbox.shift();
    if (oldest !== undefined) this.#refuse(oldest, 'dropped');
    return true;
  }

  #refuse(message: M, why: Undelivered): false {
    this.#kernel.deadLetters.add({ from: this.#kernel.current?.path ?? '-', to: this.path, message, why });
    return false;
  }

  #suspend(pending: Promise<void>, incarnation: number): void {
    const resume = (): void => {
      if (incarnation !== this.#incarnation) return;
      this.#busy = false;
      this.#scheduled = false;
      this.#endIfAsked();
      if (this.#state === 'running' && this.#mailbox.length > 0) this.#wake();
    };
    pending.then(resume, (error: unknown) => {
      if (incarnation !== this.#incarnation) return;
      this.#fail(error, incarnation);
      resume();
    });
  }

  #fail(error: unknown, incarnation: number): void {
    if (incarnation === this.#incarnation) this.#exiting = { kind: 'error', error: toEnvelope(error) };
  }

  #endIfAsked(): void {
    if (this.#exiting !== undefined && this.#state !== 'stopping' && this.#state !== 'stopped') {
      void this.#end(this.#exiting);
    }
  }

  #end(reason: ExitReason): Promise<void> {
    this.#ended ??= this.#runEnd(reason, this.#incarnation);
    return this.#ended;
  }

  async #runEnd(reason: ExitReason, incarnation: number): Promise<void> {
    this.#state = 'stopping';
    for (const cancel of this.#timers ?? []) cancel();
    this.#timers = undefined;
    this.#empty();
    const early = await runAll(this.#beforeChildren);
    for (const child of [...(this.#children?.values() ?? [])].reverse()) await child.shutdown();
    const late = await runAll(this.#cleanUps);
    const failure = early ?? late;
    if (incarnation !== this.#incarnation || this.state === 'stopped') return;
    this.#finish(failure === undefined || reason.kind === 'error' ? reason : { kind: 'error', error: failure });
  }

  #finish(reason: ExitReason): void {
    this.#state = 'stopped';
    this.#lastExit = reason;
    this.#receive = undefined;
    this.#busy = false;
    this.#scheduled = false;
    for (const other of this.#watched ?? []) other.#watchers?.delete(this);
    this.#watched = undefined;
    if (this.#parent !== undefined) this.#parent.#children?.delete(this.name);
    const watchers = this.#watchers;
    this.#watchers = undefined;
    const exit = { path: this.path, reason };
    for (const tellWatcher of watchers?.values() ?? []) tellWatcher(exit);
    if (reason.kind === 'error') this.#reportFailure(reason.error, watchers !== undefined && watchers.size > 0);
  }

  /** As with a link in OTP: a failure that nobody watches takes the parent along, so that none goes unseen. */
  #reportFailure(error: ErrorEnvelope, seen: boolean): void {
    this.#kernel.onFailure?.(this.path, error);
    if (seen || this.#reportedByCaller) return;
    const parent = this.#parent;
    if (parent === undefined || parent.#state === 'stopping' || parent.#state === 'stopped') return;
    const failure = new ShoalError('ACTOR_CHILD_FAILED', `child ${this.path} failed: ${error.message}`);
    parent.#exiting = { kind: 'error', error: { ...toEnvelope(failure), cause: error } };
    if (!parent.#busy) parent.#endIfAsked();
  }

  /** Gives up on an actor that does not finish stopping, so that what waits for it goes on. */
  #abandon(afterMs: number): void {
    if (this.state === 'stopped') return;
    for (const child of this.#children?.values() ?? []) child.#abandon(afterMs);
    this.#empty();
    for (const cancel of this.#timers ?? []) cancel();
    this.#timers = undefined;
    this.#incarnation += 1;
    const error = new ShoalError(
      'ACTOR_STOP_TIMEOUT',
      `${this.path} did not stop within ${afterMs} ms and was abandoned`,
    );
    this.#reportedByCaller = true;
    this.#finish({ kind: 'error', error: toEnvelope(error) });
  }

  #empty(): void {
    for (let message = this.#mailbox.shift(); message !== undefined; message = this.#mailbox.shift()) {
      this.#refuse(message, 'stopped');
    }
  }

  #timer(delayMs: number, fire: () => void): CancelTimer {
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
}

export function asCell<M>(ref: Ref<M>): Cell<M> {
  if (ref instanceof Cell) return ref;
  throw new ShoalError('INTERNAL', `${ref.path} is not an actor of this system`);
}

function stoppedWhileStarting(path: string): ShoalError {
  return new ShoalError('ACTOR_STOPPED', `${path} was stopped while it started`);
}

/** Runs clean-up, the last registered first. All of it runs; the first failure is the one that is told. */
async function runAll(cleanUps: CleanUp[] | undefined): Promise<ErrorEnvelope | undefined> {
  let failure: ErrorEnvelope | undefined;
  for (let cleanUp = cleanUps?.pop(); cleanUp !== undefined; cleanUp = cleanUps?.pop()) {
    try {
      await cleanUp();
    } catch (error) {
      failure ??= toEnvelope(error);
    }
  }
  return failure;
}
