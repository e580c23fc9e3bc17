import type { Behaviour, Receive, Ref, SpawnOptions } from '../actors/mod.ts';
import type { BackOff } from './back-off.ts';

/** permanent: always restarted; transient: unless it ended in order; temporary: never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How long a child may take to stop, in milliseconds; `brutal` does not wait, `infinite` waits for ever. */
export type Shutdown = number | 'brutal' | 'infinite';

/** What a supervisor knows about a child before it runs. The words are OTP's. */
export interface ChildSpec {
  /** Unique under its supervisor, and the child's name in its path. */
  readonly id: string;
  readonly start: Behaviour<never>;
  readonly restart: Restart;
  readonly shutdown: Shutdown;
  readonly type: 'worker' | 'supervisor';
  /** Whether its end may end the supervisor (`autoShutdown`). */
  readonly significant: boolean;
  /** Undefined: that of the supervisor, if it has one. */
  readonly backOff: BackOff | undefined;
  readonly options: Omit<SpawnOptions, 'name'>;
}

export interface ChildOptions<M> extends Omit<SpawnOptions, 'name'> {
  readonly id: string;
  /** May return `ignore`: the child is not wanted now. */
  readonly start: Behaviour<M>;
  /** Default `permanent`. */
  readonly restart?: Restart;
  /** Default 5000; `infinite` for a supervisor, whose children have limits of their own. */
  readonly shutdown?: Shutdown;
  /** Default false. */
  readonly significant?: boolean;
  /** Waits before restarts; default: as the supervisor says. */
  readonly backOff?: BackOff;
  /** Receives the child's ref when it has started; the ref outlives restarts. */
  readonly onRef?: (ref: Ref<M>) => void;
}

const SHUTDOWN_MS_DEFAULT = 5_000;

/** What a behaviour returns that finds nothing to do: its actor ends at once, in order, and is not restarted. */
export const ignore: Receive<unknown> = () => undefined;

const supervisors = new WeakSet<Behaviour<never>>();

/** Tells `child` that a behaviour is a supervisor's. */
export function markSupervisor<M>(behaviour: Behaviour<M>): Behaviour<M> {
  // Only its identity is kept.
  supervisors.add(behaviour as unknown as Behaviour<never>);
  return behaviour;
}

/** Makes the spec of a child, with OTP's defaults. */
export function child<M>(of: ChildOptions<M>): ChildSpec {
  const { id, start, restart, shutdown, significant, backOff, onRef, ...options } = of;
  const behaviour: Behaviour<M> = (context) => {
    onRef?.(context.self);
    return start(context);
  };
  // Only looked up, never called through this type.
  const isSupervisor = supervisors.has(start as unknown as Behaviour<never>);
  return {
    id,
    // A supervisor starts and stops its children and never sends to them, so it need not know what they understand.
    start: behaviour as unknown as Behaviour<never>,
    restart: restart ?? 'permanent',
    shutdown: shutdown ?? (isSupervisor ? 'infinite' : SHUTDOWN_MS_DEFAULT),
    type: isSupervisor ? 'supervisor' : 'worker',
    significant: significant ?? false,
    backOff,
    // A supervisor that ends by itself waits for its children too, as long as their specs say.
    options: isSupervisor ? { stopTimeoutMs: Number.POSITIVE_INFINITY, ...options } : options,
  };
}
