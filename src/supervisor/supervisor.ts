import type { Behaviour, Context, Exit, ExitReason, Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { ChildSpec, Restart, Shutdown } from './child-spec.ts';
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
  /** Forgets the spec of a stopped child. */
  | { readonly kind: 'delete-child'; readonly id: string; readonly replyTo?: Ref<boolean> }
  | { readonly kind: 'which-children'; readonly replyTo: Ref<readonly ChildInfo[]> }
  | { readonly kind: 'exited'; readonly id: string; readonly incarnation: number; readonly reason: ExitReason };

/** OTP's defaults. */
const INTENSITY_DEFAULT = 1;
const PERIOD_MS_DEFAULT = 5_000;

interface Child {
  readonly spec: ChildSpec;
  ref: Ref<never> | undefined;
  running: boolean;
  /** Counts starts, so that the news of an end that was asked for is not taken for a crash of the next incarnation. */
  incarnation: number;
}

/** An actor that starts, restarts and stops its children by the contract of OTP's supervisor. */
export function supervisor(spec: SupervisorSpec): Behaviour<SupervisorMessage> {
  return async (context) => {
    const body = new Supervisor(context, {
      intensity: spec.intensity ?? INTENSITY_DEFAULT,
      periodMs: spec.periodMs ?? PERIOD_MS_DEFAULT,
    });
    context.onStop(() => body.stopAll(), 'before-children');
    for (const childSpec of spec.children) await body.add(childSpec);
    return (message) => body.receive(message);
  };
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
        message.replyTo?.tell(await this.#startReply(message.spec));
        return;
      case 'terminate-child':
        message.replyTo?.tell(await this.#terminate(message.id));
        return;
      case 'delete-child':
        message.replyTo?.tell(this.#delete(message.id));
        return;
      case 'which-children':
        message.replyTo.tell([...this.#children.values()].map(infoOf));
        return;
      case 'exited':
        await this.#exited(message);
        return;
    }
  }

  /** Starts a child and resolves with its ref. @throws SUPERVISOR_CHILD_EXISTS, SUPERVISOR_START_FAILED */
  async add(spec: ChildSpec): Promise<Ref<never>> {
    if (this.#children.has(spec.id)) {
      throw new ShoalError('SUPERVISOR_CHILD_EXISTS', `a child with the id "${spec.id}" is already supervised`);
    }
    const child: Child = { spec, ref: undefined, running: false, incarnation: 0 };
    this.#children.set(spec.id, child);
    try {
      child.ref = await this.#context.start(spec.start, { ...spec.options, name: spec.id });
    } catch (cause) {
      this.#children.delete(spec.id);
      throw new ShoalError('SUPERVISOR_START_FAILED', `child "${spec.id}" did not start: ${String(cause)}`, { cause });
    }
    this.#running(child, child.ref);
    return child.ref;
  }

  /** Right to left. */
  async stopAll(): Promise<void> {
    for (const child of [...this.#children.values()].reverse()) await this.#stop(child);
  }

  async #startReply(spec: ChildSpec): Promise<ChildReply> {
    try {
      return { ok: true, ref: await this.add(spec) };
    } catch (error) {
      return { ok: false, error: toEnvelope(error) };
    }
  }

  #running(child: Child, ref: Ref<never>): void {
    child.running = true;
    child.incarnation += 1;
    const { incarnation } = child;
    const { id } = child.spec;
    this.#context.watch(ref, (exit: Exit) => ({ kind: 'exited', id, incarnation, reason: exit.reason }));
  }

  async #stop(child: Child): Promise<void> {
    if (!child.running || child.ref === undefined) return;
    child.running = false;
    this.#context.unwatch(child.ref);
    await this.#context.stop(child.ref, stopTimeoutMs(child.spec.shutdown));
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
    if (child === undefined || child.running) return false;
    return this.#children.delete(id);
  }

  async #exited(message: Extract<SupervisorMessage, { kind: 'exited' }>): Promise<void> {
    const child = this.#children.get(message.id);
    if (child === undefined || !child.running || child.incarnation !== message.incarnation) return;
    child.running = false;
    await this.#decide(child, message.reason);
  }

  /** A restart that fails counts as one more crash, so that a child that cannot start exhausts the intensity. */
  async #decide(child: Child, reason: ExitReason): Promise<void> {
    const { id, restart } = child.spec;
    const exit = { id, restart, reason, nowMs: this.#context.clock.monotonic() };
    const { history, action } = oneForOne(this.#limit, this.#history, exit);
    this.#history = history;
    switch (action.kind) {
      case 'restart':
        return this.#restart(child);
      case 'leave':
        if (action.forget) this.#children.delete(id);
        return;
      case 'give-up':
        throw this.#giveUp(action.id, action.restarts, reason);
    }
  }

  async #restart(child: Child): Promise<void> {
    if (child.ref === undefined) return;
    try {
      await this.#context.restart(child.ref);
    } catch (error) {
      return this.#decide(child, { kind: 'error', error: toEnvelope(error) });
    }
    this.#running(child, child.ref);
  }

  #giveUp(id: string, restarts: number, reason: ExitReason): ShoalError {
    const { intensity, periodMs } = this.#limit;
    const last = reason.kind === 'error' ? reason.error.message : reason.kind;
    return new ShoalError(
      'SUPERVISOR_INTENSITY',
      `child "${id}" ended again: ${restarts} ends within ${periodMs} ms, ${intensity} restarts are allowed (last: ${last})`,
    );
  }
}

function infoOf(child: Child): ChildInfo {
  const { spec, ref, running } = child;
  return { id: spec.id, state: running ? 'running' : 'stopped', restart: spec.restart, ref };
}

/** Timers take at most 2^31 - 1 milliseconds: 24 days stand for ever. */
const FOREVER_MS = 2_147_483_647;

function stopTimeoutMs(shutdown: Shutdown): number {
  if (shutdown === 'brutal') return 0;
  return shutdown === 'infinite' ? FOREVER_MS : shutdown;
}
