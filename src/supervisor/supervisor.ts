import type { Behaviour, Context, Exit, ExitReason, Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { type ChildSpec, markSupervisor, type Restart, type Shutdown } from './child-spec.ts';
import { oneForOne, type RestartHistory, type RestartLimit } from './strategy.ts';

export interface SupervisorSpec extends Partial<RestartLimit> {
  readonly strategy: 'one_for_one';
  /** Started left to right, stopped right to left. */
  readonly children: readonly ChildSpec[];
}

export interface ChildInfo {
  readonly id: string;
  readonly state: 'running' | 'stopped';
  readonly restart: Restart;
  /** Undefined while it has not been started. */
  readonly ref: Ref<never> | undefined;
}

export type ChildReply =
  | { readonly ok: true; readonly ref: Ref<never> }
  | { readonly ok: false; readonly error: ErrorEnvelope };

export type SupervisorMessage =
  | { readonly kind: 'start-child'; readonly spec: ChildSpec; readonly replyTo?: Ref<ChildReply> }
  /** Stops a child and keeps its spec, unless it is temporary. */
  | { readonly kind: 'terminate-child'; readonly id: string; readonly replyTo?: Ref<boolean> }
  /** Starts a stopped child again; replies SUPERVISOR_CHILD_UNKNOWN, SUPERVISOR_CHILD_EXISTS or SUPERVISOR_START_FAILED if not. */
  | { readonly kind: 'restart-child'; readonly id: string; readonly replyTo?: Ref<ChildReply> }
  /** Forgets the spec of a stopped child. */
  | { readonly kind: 'delete-child'; readonly id: string; readonly replyTo?: Ref<boolean> }
  | { readonly kind: 'which-children'; readonly replyTo: Ref<readonly ChildInfo[]> }
  | { readonly kind: 'exited'; readonly id: string; readonly incarnation: number; readonly reason: ExitReason };

/** OTP's defaults. */
const INTENSITY_DEFAULT = 1;
const PERIOD_MS_DEFAULT = 5_000;

interface Child {
  readonly spec: ChildSpec;
  /** Known from the moment at which its start begins. */
  ref: Ref<never> | undefined;
  state: 'starting' | 'running' | 'stopped';
  /** Counts starts, so that the news of an end that was asked for is not taken for a crash of the next incarnation. */
  incarnation: number;
}

/**
 * An actor that starts, restarts and stops its children by the contract of OTP's supervisor. As there it does one thing at a time:
 * while a child starts or stops, the others' crashes wait their turn. A stop of the supervisor cuts such a wait short.
 *
 * It differs from OTP in one point: a supervisor that gives up has failed (SUPERVISOR_INTENSITY), it has not shut down in order; so
 * that a supervisor above restarts it when it is transient too.
 */
export function supervisor(spec: SupervisorSpec): Behaviour<SupervisorMessage> {
  return markSupervisor(async (context) => {
    const body = new Supervisor(context, {
      intensity: spec.intensity ?? INTENSITY_DEFAULT,
      periodMs: spec.periodMs ?? PERIOD_MS_DEFAULT,
    });
    context.signal.addEventListener('abort', () => body.stopStarting());
    context.onStop(() => body.stopAll(), 'before-children');
    for (const childSpec of spec.children) await body.add(childSpec);
    return (message) => body.receive(message);
  });
}

class Supervisor {
  readonly #context: Context<SupervisorMessage>;
  readonly #limit: RestartLimit;
  readonly #children = new Map<string, Child>();
  #history: RestartHistory = [];

  constructor(context: Context<SupervisorMessage>, limit: RestartLimit) {
    this.#context = context;
    this.#limit = limit;
  }

  async receive(message: SupervisorMessage): Promise<void> {
    switch (message.kind) {
      case 'start-child':
        return reply(message.replyTo, await outcomeOf(this.add(message.spec)));
      case 'restart-child':
        return reply(message.replyTo, await outcomeOf(this.#restartByHand(message.id)));
      case 'terminate-child':
        return reply(message.replyTo, await this.#terminate(message.id));
      case 'delete-child':
        return reply(message.replyTo, this.#delete(message.id));
      case 'which-children':
        return reply(message.replyTo, [...this.#children.values()].map(infoOf));
      case 'exited':
        return this.#exited(message);
    }
  }

  /** Starts a child and resolves with its ref. @throws SUPERVISOR_CHILD_EXISTS, SUPERVISOR_START_FAILED */
  async add(spec: ChildSpec): Promise<Ref<never>> {
    if (this.#children.has(spec.id)) throw childExists(spec.id, 'supervised');
    const child: Child = { spec, ref: undefined, state: 'stopped', incarnation: 0 };
    this.#children.set(spec.id, child);
    try {
      return await this.#start(child);
    } catch (error) {
      this.#children.delete(spec.id);
      throw startFailed(spec.id, error);
    }
  }

  /** Right to left. */
  async stopAll(): Promise<void> {
    for (const child of [...this.#children.values()].reverse()) await this.#stop(child);
  }

  /** Whoever is being started when the supervisor itself is to stop must not hold that up. */
  stopStarting(): void {
    for (const child of this.#children.values()) {
      if (child.state === 'starting') void this.#stop(child);
    }
  }

  async #start(child: Child): Promise<Ref<never>> {
    const { id } = child.spec;
    child.state = 'starting';
    child.incarnation += 1;
    const { incarnation } = child;
    try {
      // Awaited directly: the child is watched before its first message can make it fail.
      await (child.ref === undefined ? this.#startFirst(child) : this.#context.restart(child.ref));
    } catch (error) {
      child.state = 'stopped';
      throw error;
    }
    if (child.ref === undefined) throw new ShoalError('INTERNAL', `child "${id}" started without a ref`);
    child.state = 'running';
    this.#context.watch(child.ref, (exit: Exit) => ({ kind: 'exited', id, incarnation, reason: exit.reason }));
    return child.ref;
  }

  #startFirst(child: Child): Promise<Ref<never>> {
    const { start, options, id } = child.spec;
    const known: Behaviour<never> = (context) => {
      child.ref = context.self;
      return start(context);
    };
    return this.#context.start(known, { ...options, name: id });
  }

  async #stop(child: Child): Promise<void> {
    if (child.state === 'stopped' || child.ref === undefined) return;
    child.state = 'stopped';
    this.#context.unwatch(child.ref);
    await this.#context.stop(child.ref, stopTimeoutMs(child.spec.shutdown));
  }

  async #restartByHand(id: string): Promise<Ref<never>> {
    const child = this.#children.get(id);
    if (child === undefined)
      throw new ShoalError('SUPERVISOR_CHILD_UNKNOWN', `no child with the id "${id}" is supervised`);
    if (child.state !== 'stopped') throw childExists(id, child.state);
    try {
      return await this.#start(child);
    } catch (error) {
      throw startFailed(id, error);
    }
  }

  async #terminate(id: string): Promise<boolean> {
    const child = this.#children.get(id);
    if (child === undefined) return false;
    await this.#stop(child);
    if (child.spec.restart === 'temporary') this.#children.delete(id);
    return true;
  }

  #delete(id: string): boolean {
    const child = this.#children.get(id);
    if (child === undefined || child.state !== 'stopped') return false;
    return this.#children.delete(id);
  }

  async #exited(message: Extract<SupervisorMessage, { kind: 'exited' }>): Promise<void> {
    const child = this.#children.get(message.id);
    if (child?.state !== 'running' || child.incarnation !== message.incarnation) return;
    child.state = 'stopped';
    let reason: ExitReason | undefined = message.reason;
    // A restart that fails counts as one more crash, so that a child that cannot start exhausts the intensity.
    while (reason !== undefined && !this.#context.signal.aborted) reason = await this.#decide(child, reason);
  }

  /** @returns why the child ended once more while it was restarted. */
  async #decide(child: Child, reason: ExitReason): Promise<ExitReason | undefined> {
    const { id, restart } = child.spec;
    const exit = { id, restart, reason, nowMs: this.#context.clock.monotonic() };
    const { history, action } = oneForOne(this.#limit, this.#history, exit);
    this.#history = history;
    switch (action.kind) {
      case 'restart':
        return this.#restart(child);
      case 'leave':
        if (action.forget) this.#children.delete(id);
        return undefined;
      case 'give-up':
        throw this.#giveUp(action.id, action.restarts, reason);
    }
  }

  async #restart(child: Child): Promise<ExitReason | undefined> {
    try {
      await this.#start(child);
      return undefined;
    } catch (error) {
      return { kind: 'error', error: toEnvelope(error) };
    }
  }

  #giveUp(id: string, ends: number, reason: ExitReason): ShoalError {
    const { intensity, periodMs } = this.#limit;
    const last = reason.kind === 'error' ? reason.error.message : reason.kind;
    return new ShoalError(
      'SUPERVISOR_INTENSITY',
      `child "${id}" ended again: ${ends} ends within ${periodMs} ms, ${intensity} restarts are allowed (last: ${last})`,
      { details: { id, intensity, periodMs }, cause: reason.kind === 'error' ? fromEnvelope(reason.error) : undefined },
    );
  }
}

/** The work is done before, for it must be done also when nobody wants to hear of it. */
function reply<R>(to: Ref<R> | undefined, value: R): void {
  to?.tell(value);
}

async function outcomeOf(started: Promise<Ref<never>>): Promise<ChildReply> {
  try {
    return { ok: true, ref: await started };
  } catch (error) {
    return { ok: false, error: toEnvelope(error) };
  }
}

function infoOf({ spec, ref, state }: Child): ChildInfo {
  return { id: spec.id, state: state === 'running' ? 'running' : 'stopped', restart: spec.restart, ref };
}

function childExists(id: string, how: string): ShoalError {
  return new ShoalError('SUPERVISOR_CHILD_EXISTS', `a child with the id "${id}" is already ${how}`);
}

function startFailed(id: string, cause: unknown): ShoalError {
  return new ShoalError('SUPERVISOR_START_FAILED', `child "${id}" did not start: ${toEnvelope(cause).message}`, {
    cause,
  });
}

function stopTimeoutMs(shutdown: Shutdown): number {
  if (shutdown === 'brutal') return 0;
  return shutdown === 'infinite' ? Number.POSITIVE_INFINITY : shutdown;
}
