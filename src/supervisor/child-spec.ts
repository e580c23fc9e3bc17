import type { Behaviour, Context, Receive, Ref, SpawnOptions } from '../actors/mod.ts';
import type { BackOff } from './back-off.ts';
import type { RestartLimit } from './restart-limit.ts';
import { checkObject } from './spec-checks.ts';

/** Which children are restarted. permanent: always; transient: unless it ended in order; temporary: never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How many milliseconds a child may take to stop. `brutal` does not wait, `infinite` waits for ever. */
export type Shutdown = number | 'brutal' | 'infinite';

/** A child that has failed goes on with its state, is restarted as its type says, or ends for good. */
export type Directive = 'resume' | 'restart' | 'stop';

/**
 * Describes a child and how it is supervised, in OTP's words.
 * @typeParam M its messages
 */
export interface ChildSpec<in M = never> {
  /** Unique under its supervisor; also the child's name in its path. */
  readonly id: string;
  readonly start: Behaviour<never>;
  /** Only for the compiler: the type of the child's messages. */
  readonly messages?: (message: M) => void;
  readonly restart: Restart;
  readonly shutdown: Shutdown;
  readonly type: 'worker' | 'supervisor';
  /** Whether its end may end the supervisor, as `autoShutdown` says. */
  readonly significant: boolean;
  /** Undefined: that of the supervisor, if any. */
  readonly backOff: BackOff | undefined;
  /** Undefined: its restarts count against the limit of the supervisor. */
  readonly restartLimit?: RestartLimit | undefined;
  readonly onError: ((error: unknown) => Directive) | undefined;
  readonly onRef: ((ref: Ref<never>) => void) | undefined;
  readonly options: Omit<SpawnOptions, 'name'>;
}

export interface ChildOptions<M> extends Omit<SpawnOptions, 'name'> {
  readonly id: string;
  /** Returns `ignore` if the child is not needed now. */
  readonly start: Behaviour<M>;
  /** Default `permanent`. */
  readonly restart?: Restart;
  /** Default 5000; `infinite` for a supervisor, whose children have limits of their own. */
  readonly shutdown?: Shutdown;
  /** Default false. */
  readonly significant?: boolean;
  /** Waits before restarts; default: the supervisor's. */
  readonly backOff?: BackOff;
  /**
   * A limit of its own: its restarts count against it, and only one beyond it counts as one against that of the
   * supervisor. Then its own count begins anew, as if there were a supervisor between. Default: the supervisor's.
   */
  readonly restartLimit?: RestartLimit;
  /**
   * Decides by the error what becomes of the child when it has failed; default: always `restart`. Only a child that has
   * failed at a message can be resumed: it drops the message, and the failure is logged. Not asked about starts.
   */
  readonly onError?: (error: unknown) => Directive;
  /** Receives the child's ref when it starts. The ref outlives restarts. */
  readonly onRef?: (ref: Ref<M>) => void;
}

/** The names of all options of a child. The record has them, or it does not compile. */
export const CHILD_NAMES: readonly string[] = Object.keys({
  id: true,
  start: true,
  restart: true,
  shutdown: true,
  significant: true,
  backOff: true,
  restartLimit: true,
  onError: true,
  onRef: true,
  capacity: true,
  overflow: true,
  stopTimeoutMs: true,
  startTimeoutMs: true,
  mailbox: true,
} satisfies Record<keyof ChildOptions<never>, true>);

const SHUTDOWN_MS_DEFAULT = 5_000;
/** Most children have none. */
const NO_OPTIONS: ChildSpec['options'] = {};

/** A behaviour that finds nothing to do returns this: its actor ends at once, in order, and is not restarted. */
export const ignore: Receive<unknown> = () => undefined;

const supervisors = new WeakSet<Behaviour<never>>();

/** Marks the behaviour of a supervisor, for `child`. */
export function markSupervisor<M>(behaviour: Behaviour<M>): Behaviour<M> {
  // However it ends, it waits for its children, as long as their specs say. Nothing else takes time.
  const marked = Object.assign((context: Context<M>) => behaviour(context), {
    stopTimeoutMs: Number.POSITIVE_INFINITY,
  });
  // The set only compares identities.
  supervisors.add(marked as unknown as Behaviour<never>);
  return marked;
}

/**
 * Makes the spec of a child. The defaults are OTP's. A supervisor checks it before it starts a child.
 * @throws SUPERVISOR_SPEC_INVALID for what is no object
 */
export function child<M>(of: ChildOptions<M>): ChildSpec<M> {
  checkObject('the options of a child', of);
  const { id, start, restart, shutdown, significant, backOff, restartLimit, onError, onRef, ...options } = of;
  // The set only compares identities.
  const isSupervisor = supervisors.has(start as unknown as Behaviour<never>);
  return {
    id,
    // A supervisor starts and stops its children but sends them nothing, so the type of their messages does not
    // matter.
    start: start as unknown as Behaviour<never>,
    restart: restart ?? 'permanent',
    shutdown: shutdown ?? (isSupervisor ? 'infinite' : SHUTDOWN_MS_DEFAULT),
    type: isSupervisor ? 'supervisor' : 'worker',
    significant: significant ?? false,
    backOff,
    restartLimit,
    onError,
    // As above: it is given the ref of an actor that takes M.
    onRef: onRef as unknown as ChildSpec['onRef'],
    options: Object.keys(options).length === 0 ? NO_OPTIONS : options,
  };
}
