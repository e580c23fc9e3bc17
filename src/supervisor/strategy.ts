import type { ExitReason } from '../actors/mod.ts';
import type { Restart } from './child-spec.ts';

/** More than `intensity` restarts within `periodMs` and the supervisor gives up. */
export interface RestartLimit {
  readonly intensity: number;
  readonly periodMs: number;
}

/** When restarts happened, oldest first, on the monotonic clock; never longer than intensity + 1. */
export type RestartHistory = readonly number[];

export interface ChildExit {
  readonly id: string;
  readonly restart: Restart;
  readonly reason: ExitReason;
  /** Milliseconds on the monotonic clock. */
  readonly nowMs: number;
}

export type Action =
  | { readonly kind: 'restart'; readonly id: string }
  /** The spec stays, so that the child can be restarted by hand; a temporary child's spec goes too. */
  | { readonly kind: 'leave'; readonly id: string; readonly forget: boolean }
  | { readonly kind: 'give-up'; readonly id: string; readonly restarts: number };

export interface Decision {
  readonly history: RestartHistory;
  readonly action: Action;
}

/** `one_for_one`: what a supervisor does about the end of one child. Pure: the actor carries it out. */
export function oneForOne(limit: RestartLimit, history: RestartHistory, exit: ChildExit): Decision {
  if (!mustRestart(exit)) {
    return { history, action: { kind: 'leave', id: exit.id, forget: exit.restart === 'temporary' } };
  }
  const recent = [...history.filter((at) => exit.nowMs - at <= limit.periodMs), exit.nowMs];
  if (recent.length > limit.intensity) {
    return { history: recent, action: { kind: 'give-up', id: exit.id, restarts: recent.length } };
  }
  return { history: recent, action: { kind: 'restart', id: exit.id } };
}

function mustRestart({ restart, reason }: ChildExit): boolean {
  if (restart === 'permanent') return true;
  return restart === 'transient' && reason.kind === 'error';
}
