import {
  type Behaviour,
  type CancelTimer,
  type Context,
  dropResult,
  type Exit,
  type ExitReason,
  type Receive,
  type Ref,
} from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { SmallMap } from '../small-map.ts';
import { type ChildRules, RulesOfChildren } from './child-rules.ts';
import { ChildRunningError } from './child-running-error.ts';
import { type ChildSpec, type Directive, ignore, type Shutdown } from './child-spec.ts';
import { directiveOf } from './decider.ts';
import type { ChildCounts, ChildEvent, ChildInfo } from './messages.ts';
import type { RestartHistory } from './restart-limit.ts';
import {
  type Action,
  type ChildState,
  type ChildView,
  decide,
  type SupervisorEvent,
  type Terms,
  type Trouble,
} from './strategy.ts';

export interface SupervisedChildrenOptions extends Terms {
  /** Default: the chance of the system. */
  readonly random: (() => number) | undefined;
}

/** The part of a context that is used here. It does not depend on the type of the supervisor's own messages. */
export type ChildrenContext = Pick<
  Context<ChildEvent>,
  'signal' | 'clock' | 'system' | 'start' | 'restart' | 'stop' | 'watch' | 'unwatch' | 'pipe' | 'exit'
>;

interface Child extends ChildView {
  readonly rules: ChildRules;
  readonly start: ChildSpec['start'];
  /** Undefined until its first start begins. */
  ref: Ref<never> | undefined;
  state: ChildState;
  /** Its behaviour has returned `ignore`. */
  ignored: boolean;
  startedMs: number;
  trouble: ChildTrouble;
}

/** A value, because nearly all children share the one of no trouble. */
interface ChildTrouble extends Trouble {
  /** How its decider has judged the failure that ends this incarnation. */
  readonly directive?: Directive | undefined;
  /** The child for whose end it waits to be restarted: its own id, or that of another. */
  readonly waitsFor?: string | undefined;
  readonly cancelWait?: CancelTimer | undefined;
}

const NO_TROUBLE: ChildTrouble = { failures: 0, dueMs: 0 };

/** The children of one supervisor. They are started and stopped only here, as `decide` says. */
export class SupervisedChildren {
  readonly #context: ChildrenContext;
  readonly #options: SupervisedChildrenOptions;
  readonly #children = new SmallMap<string, Child>();
  readonly #rules = new RulesOfChildren();
  #restarts: RestartHistory = [];
  /** The behaviour of nearly all children: which of them starts, its name says. */
  readonly #begin: Behaviour<never> = (context) => begin(this.#known(idOf(context.self.path)), context);

  constructor(context: ChildrenContext, options: SupervisedChildrenOptions) {
    this.#context = context;
    this.#options = options;
    // A child that is starting must not delay the stop of its supervisor.
    context.signal.addEventListener('abort', () => this.#stopStarting());
  }

  /**
   * Starts a child. Resolves with its ref, or undefined if its behaviour returned `ignore`.
   * @throws SUPERVISOR_CHILD_RUNNING with the ref, SUPERVISOR_CHILD_EXISTS, SUPERVISOR_START_FAILED
   */
  async add(spec: ChildSpec): Promise<Ref<never> | undefined> {
    const known = this.#children.get(spec.id);
    if (known !== undefined) throw exists(known);
    const child = newChild(spec, this.#rules.of(spec));
    this.#children.set(spec.id, child);
    try {
      await this.#start(child);
    } catch (error) {
      this.#children.delete(spec.id);
      throw startFailed(spec.id, error);
    }
    return child.ignored ? undefined : child.ref;
  }

  /** @throws SUPERVISOR_CHILD_UNKNOWN, SUPERVISOR_CHILD_RUNNING, SUPERVISOR_START_FAILED */
  async restart(id: string): Promise<Ref<never> | undefined> {
    const child = this.#stopped(id);
    child.trouble = { ...child.trouble, failures: 0 };
    try {
      await this.#start(child);
    } catch (error) {
      throw startFailed(id, error);
    }
    return child.ignored ? undefined : child.ref;
  }

  /** @throws SUPERVISOR_CHILD_UNKNOWN */
  async terminate(id: string): Promise<void> {
    const child = this.#known(id);
    // As in OTP: those that were to be restarted with it stay stopped.
    if (child.state === 'restarting') {
      for (const other of [...this.#children.values()]) {
        if (other !== child && other.state === 'restarting' && other.trouble.waitsFor === id) await this.#stop(other);
      }
    }
    await this.#end(child);
  }

  /** @throws SUPERVISOR_CHILD_UNKNOWN, SUPERVISOR_CHILD_RUNNING */
  delete(id: string): void {
    this.#stopped(id);
    this.#children.delete(id);
  }

  specOf(id: string): ChildSpec | undefined {
    const child = this.#children.get(id);
    return child === undefined ? undefined : { id, start: child.start, ...child.rules };
  }

  refOf(id: string): Ref<never> | undefined {
    const child = this.#children.get(id);
    return child?.ignored === true ? undefined : child?.ref;
  }

  which(): ChildInfo[] {
    const nowMs = this.#context.clock.monotonic();
    return [...this.#children.values()].map((child) => infoOf(child, nowMs));
  }

  count(): ChildCounts {
    const all = [...this.#children.values()];
    const supervisors = all.filter(({ rules }) => rules.type === 'supervisor').length;
    const active = all.filter(({ state }) => state === 'running').length;
    return { specs: all.length, active, supervisors, workers: all.length - supervisors };
  }

  async handle(event: ChildEvent): Promise<void> {
    if (event.kind === 'due') return this.#apply(event);
    const child = this.#children.get(event.id);
    if (child?.state !== 'running') return;
    child.state = 'stopped';
    const nowMs = this.#context.clock.monotonic();
    const { id, reason } = event;
    const isHalted = reason.kind === 'error' && judged(child, reason.error) === 'stop';
    const livedMs = nowMs - child.startedMs;
    await this.#apply({ kind: 'exited', id, reason, nowMs, livedMs, chance: this.#chance(), isHalted });
  }

  #chance(): number {
    const { random } = this.#options;
    return random === undefined ? this.#context.system.random.fraction() : random();
  }

  /** Stops the children one after the other, the last started first. */
  async stopInOrder(): Promise<void> {
    for (const child of [...this.#children.values()].reverse()) await this.#stop(child);
  }

  async stopAtOnce(): Promise<void> {
    await Promise.all([...this.#children.values()].map((child) => this.#stop(child)));
  }

  async #apply(event: SupervisorEvent): Promise<void> {
    const state = { children: this.#children, restarts: this.#restarts };
    const { restarts, actions } = decide(this.#options, state, event);
    this.#restarts = restarts;
    for (const action of actions) {
      // The supervisor is to stop, which stops all children: none is started any more.
      if (this.#context.signal.aborted) return;
      await this.#carryOut(action);
    }
  }

  async #carryOut(action: Action): Promise<void> {
    switch (action.do) {
      case 'count':
        note(this.#known(action.id), { restarts: action.restarts });
        return;
      case 'stop':
        return this.#stop(this.#known(action.id));
      case 'start':
        return this.#startAll(action.ids.map((id) => this.#known(id)));
      case 'wait':
        note(this.#known(action.id), { failures: action.failures });
        for (const id of action.ids) {
          const waiting = this.#known(id);
          note(waiting, { waitsFor: action.id });
          this.#wait(waiting, action.untilMs);
        }
        return;
      case 'leave':
        return;
      case 'forget':
        this.#children.delete(action.id);
        return;
      case 'shut-down':
        return this.#context.exit();
      case 'give-up':
        throw gaveUp(action, this.#options);
    }
  }

  /** Starts children in order, up to the first that fails. */
  async #startAll(children: readonly Child[]): Promise<void> {
    for (const child of children) hold(child);
    for (const child of children) {
      if (this.#context.signal.aborted) return;
      try {
        await this.#start(child);
      } catch (error) {
        const reason: ExitReason = { kind: 'error', error: toEnvelope(error) };
        const nowMs = this.#context.clock.monotonic();
        return this.#apply({
          kind: 'restart-failed',
          id: child.id,
          reason,
          nowMs,
          chance: this.#chance(),
        });
      }
    }
  }

  async #start(child: Child): Promise<void> {
    child.trouble.cancelWait?.();
    child.state = 'starting';
    child.ignored = false;
    if (child.trouble !== NO_TROUBLE) note(child, { directive: undefined, waitsFor: undefined });
    const { id, rules } = child;
    let { ref } = child;
    try {
      // Nothing is between this `await` and `watch`, so that the child is watched before its first message can make it
      // fail.
      if (ref === undefined) ref = await this.#context.start(this.#behaviourOf(child), { ...rules.options, name: id });
      else {
        // What waits of the end of one incarnation must not be taken for the crash of the next.
        this.#context.unwatch(ref);
        await this.#context.restart(ref);
      }
    } catch (error) {
      child.state = 'stopped';
      throw error;
    }
    child.state = 'running';
    child.startedMs = this.#context.clock.monotonic();
    this.#context.watch(ref, exited);
    if (child.ignored) await this.#end(child);
  }

  /** A restart runs the same behaviour. */
  #behaviourOf(child: Child): Behaviour<never> {
    const { stopTimeoutMs } = child.start;
    const { onError } = child.rules;
    if (stopTimeoutMs === undefined && onError === undefined) return this.#begin;
    const behaviour: Behaviour<never> = (context) => begin(child, context);
    return Object.assign(
      behaviour,
      stopTimeoutMs === undefined ? {} : { stopTimeoutMs },
      onError === undefined ? {} : { resumes: (error: unknown) => resumes(child, error) },
    );
  }

  /** Stops a child that is not to be restarted. */
  async #end(child: Child): Promise<void> {
    await this.#stop(child);
    const { id, rules } = child;
    if (rules.restart === 'temporary' || !this.#options.keepsSpecs) this.#children.delete(id);
  }

  /**
   * Stops a child. It stays watched, so a failure while it stops goes no further, and the event of its end is ignored.
   */
  async #stop(child: Child): Promise<void> {
    child.trouble.cancelWait?.();
    if (child.state === 'restarting') child.state = 'stopped';
    if (child.state === 'stopped' || child.ref === undefined) return;
    child.state = 'stopped';
    await this.#context.stop(child.ref, stopTimeoutMs(child.rules.shutdown));
  }

  #wait(child: Child, untilMs: number): void {
    hold(child);
    note(child, { dueMs: untilMs });
    const { clock } = this.#context;
    const waitMs = untilMs - clock.monotonic();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (waitMs > 0) note(child, { cancelWait: clock.timer(waitMs, resolve) });
    else resolve();
    const due = (): ChildEvent => ({ kind: 'due', id: child.id, dueMs: untilMs });
    // `pipe` rather than `after`, because a full mailbox must not cost a restart.
    this.#context.pipe(promise, due, due);
  }

  #stopStarting(): void {
    for (const child of this.#children.values()) {
      if (child.state === 'starting') void this.#stop(child);
    }
  }

  #known(id: string): Child {
    const child = this.#children.get(id);
    if (child === undefined)
      throw new ShoalError('SUPERVISOR_CHILD_UNKNOWN', `no child with the id "${id}" is supervised`);
    return child;
  }

  #stopped(id: string): Child {
    const child = this.#known(id);
    if (child.state === 'stopped') return child;
    const state = child.state === 'restarting' ? 'restarting' : 'running';
    const how = state === 'restarting' ? 'is about to be restarted' : 'runs';
    const text = `child "${id}" ${how}; terminate it first`;
    throw new ShoalError('SUPERVISOR_CHILD_RUNNING', text, { details: { id, state } });
  }
}

function newChild({ id, start }: ChildSpec, rules: ChildRules): Child {
  return {
    id,
    rules,
    start,
    ref: undefined,
    state: 'stopped',
    ignored: false,
    startedMs: 0,
    trouble: NO_TROUBLE,
  };
}

function note(child: Child, trouble: Partial<ChildTrouble>): void {
  child.trouble = { ...child.trouble, ...trouble };
}

/** The id of a child is its name. */
function idOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function exited({ path, reason }: Exit): ChildEvent {
  return { kind: 'exited', id: idOf(path), reason };
}

/** Starts the child, and records its ref and whether its behaviour returned `ignore`. */
function begin(child: Child, context: Context<never>): ReturnType<Behaviour<never>> {
  const { start, rules } = child;
  const { onRef } = rules;
  child.ref = context.self;
  dropResult(onRef?.(context.self));
  const receive = start(context);
  return typeof receive === 'function'
    ? noted(child, receive)
    : Promise.resolve(receive).then((made) => noted(child, made));
}

/** Whether the child goes on after a failure, which is then logged. */
function resumes(child: Child, error: unknown): boolean {
  const { onError } = child.rules;
  if (onError !== undefined) note(child, { directive: directiveOf(onError, error) });
  return child.trouble.directive === 'resume';
}

/** Records whether the behaviour has returned `ignore`, which takes any message, so the types do not matter. */
function noted(child: Child, receive: Receive<never>): Receive<never> {
  child.ignored = (receive as unknown) === ignore;
  return receive;
}

/** The judgement on a failure that has ended a child, such as the loss of its thread or a failure of a child below. */
function judged({ rules: { onError }, trouble: { directive } }: Child, error: ErrorEnvelope): Directive | undefined {
  if (onError === undefined || (directive !== undefined && directive !== 'resume')) return directive;
  return directiveOf(onError, fromEnvelope(error));
}

/** The child is to run, but something comes first. */
function hold(child: Child): void {
  child.trouble.cancelWait?.();
  child.state = 'restarting';
}

function infoOf({ id, rules, state, trouble, ...child }: Child, nowMs: number): ChildInfo {
  const ref = child.ignored ? undefined : child.ref;
  const { type, restart, significant } = rules;
  const info = { id, type, restart, significant, ref };
  if (state === 'restarting') return { ...info, state, restartInMs: Math.max(0, trouble.dueMs - nowMs) };
  return { ...info, state: state === 'running' ? state : 'stopped' };
}

/** OTP's `already_started`, with the ref, and `already_present`. */
function exists({ id, state, ref }: Child): ShoalError {
  if (state === 'stopped' || ref === undefined) {
    const text = `a child with the id "${id}" is already there, and stopped; restart it, or delete it first`;
    return new ShoalError('SUPERVISOR_CHILD_EXISTS', text, { details: { id } });
  }
  return new ChildRunningError(`a child with the id "${id}" is started already`, ref, { id });
}

function startFailed(id: string, cause: unknown): ShoalError {
  const { message } = toEnvelope(cause);
  return new ShoalError('SUPERVISOR_START_FAILED', `child "${id}" did not start: ${message}`, { cause });
}

function gaveUp({ id, restarts, reason }: Extract<Action, { do: 'give-up' }>, limit: Terms): ShoalError {
  const { intensity, periodMs } = limit;
  const last = reason.kind === 'error' ? reason.error.message : reason.kind;
  return new ShoalError(
    'SUPERVISOR_INTENSITY',
    `child "${id}" ended again: ${restarts} ends within ${periodMs} ms, ${intensity} restarts are allowed (last: ${last})`,
    { details: { id, intensity, periodMs }, cause: reason.kind === 'error' ? fromEnvelope(reason.error) : undefined },
  );
}

function stopTimeoutMs(shutdown: Shutdown): number {
  if (shutdown === 'brutal') return 0;
  return shutdown === 'infinite' ? Number.POSITIVE_INFINITY : shutdown;
}
