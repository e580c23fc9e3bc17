import type { ExitReason, Ref } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { ChildSpec, Restart } from './child-spec.ts';

export interface ChildInfo {
  readonly id: string;
  /** `restarting`: it has ended, and its restart waits or is tried again. */
  readonly state: 'running' | 'restarting' | 'stopped';
  /** Milliseconds until it is restarted, if it is `restarting`. */
  readonly restartInMs?: number;
  readonly type: ChildSpec['type'];
  readonly restart: Restart;
  readonly significant: boolean;
  /** Undefined while it has not been started. It outlives restarts. */
  readonly ref: Ref<never> | undefined;
}

export interface ChildCounts {
  readonly specs: number;
  /** Those that run. */
  readonly active: number;
  /** Whether they run or not. */
  readonly supervisors: number;
  readonly workers: number;
}

export type Refused = { readonly ok: false; readonly error: ErrorEnvelope };

/** `ref` is undefined if the child was not wanted (`ignore`). */
export type ChildReply<M = never> = { readonly ok: true; readonly ref: Ref<M> | undefined } | Refused;

export type DoneReply = { readonly ok: true } | Refused;

/** What every supervisor can be asked. */
export type ChildQuery =
  | { readonly kind: 'which-children'; readonly replyTo: Ref<readonly ChildInfo[]> }
  | { readonly kind: 'count-children'; readonly replyTo: Ref<ChildCounts> };

export type SupervisorMessage =
  | ChildQuery
  /** Replies SUPERVISOR_SPEC_INVALID, SUPERVISOR_CHILD_EXISTS or SUPERVISOR_START_FAILED if not. */
  | { readonly kind: 'start-child'; readonly spec: ChildSpec; readonly replyTo?: Ref<ChildReply> }
  /** Stops a child and keeps its spec, unless it is temporary. Replies SUPERVISOR_CHILD_UNKNOWN if there is none. */
  | { readonly kind: 'terminate-child'; readonly id: string; readonly replyTo?: Ref<DoneReply> }
  /** Starts a stopped child again; replies SUPERVISOR_CHILD_UNKNOWN, SUPERVISOR_CHILD_RUNNING or SUPERVISOR_START_FAILED if not. */
  | { readonly kind: 'restart-child'; readonly id: string; readonly replyTo?: Ref<ChildReply> }
  /** Forgets the spec of a stopped child; replies SUPERVISOR_CHILD_UNKNOWN or SUPERVISOR_CHILD_RUNNING if not. */
  | { readonly kind: 'delete-child'; readonly id: string; readonly replyTo?: Ref<DoneReply> }
  | { readonly kind: 'child-spec'; readonly id: string; readonly replyTo: Ref<ChildSpec | undefined> };

export type DynamicSupervisorMessage<A, M = never> =
  | ChildQuery
  /** Starts a child from the template; replies SUPERVISOR_START_FAILED if not. */
  | { readonly kind: 'start-child'; readonly args: A; readonly replyTo?: Ref<ChildReply<M>> }
  /** Stops a child for good. Replies SUPERVISOR_CHILD_UNKNOWN if it is none of this supervisor's. */
  | { readonly kind: 'terminate-child'; readonly ref: Ref<never>; readonly replyTo?: Ref<DoneReply> };

/** What a supervisor tells itself. */
export type ChildNews =
  | { readonly kind: 'exited'; readonly id: string; readonly incarnation: number; readonly reason: ExitReason }
  | { readonly kind: 'due'; readonly id: string; readonly dueMs: number };
