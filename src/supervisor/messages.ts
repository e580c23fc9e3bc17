import type { ExitReason, Ref } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { ChildSpec, Restart } from './child-spec.ts';

export interface ChildInfo {
  readonly id: string;
  /** `restarting`: the child has ended, and its restart waits or is retried. */
  readonly state: 'running' | 'restarting' | 'stopped';
  /** Milliseconds until its restart, while it is `restarting`. */
  readonly restartInMs?: number;
  readonly type: ChildSpec['type'];
  readonly restart: Restart;
  readonly significant: boolean;
  /** Undefined before its first start, and of a child that was not wanted. It outlives restarts. */
  readonly ref: Ref<never> | undefined;
}

export interface ChildCounts {
  readonly specs: number;
  /** Children that run. */
  readonly active: number;
  /** Children of that type, whether they run or not. */
  readonly supervisors: number;
  readonly workers: number;
}

export type Refused = { readonly ok: false; readonly error: ErrorEnvelope };

/**
 * `ref` is undefined if the behaviour returned `ignore`. If a child of that id is started already, the refusal
 * (SUPERVISOR_CHILD_RUNNING) has its `ref`.
 */
export type ChildReply<M = never> =
  | { readonly ok: true; readonly ref: Ref<M> | undefined }
  | (Refused & { readonly ref?: Ref<M> });

export type DoneReply = { readonly ok: true } | Refused;

/** The questions that every supervisor answers. */
export type ChildQuery =
  | { readonly kind: 'which-children'; readonly replyTo: Ref<readonly ChildInfo[]> }
  | { readonly kind: 'count-children'; readonly replyTo: Ref<ChildCounts> };

export type SupervisorMessage =
  | ChildQuery
  /**
   * Starts a child. Refused with SUPERVISOR_SPEC_INVALID, SUPERVISOR_CHILD_RUNNING with the child's ref,
   * SUPERVISOR_CHILD_EXISTS if it is there and stopped, or SUPERVISOR_START_FAILED.
   */
  | { readonly kind: 'start-child'; readonly spec: ChildSpec; readonly replyTo?: Ref<ChildReply> }
  /** Stops a child, and keeps its spec unless it is temporary. Refused with SUPERVISOR_CHILD_UNKNOWN. */
  | { readonly kind: 'terminate-child'; readonly id: string; readonly replyTo?: Ref<DoneReply> }
  /**
   * Starts a stopped child again. Refused with SUPERVISOR_CHILD_UNKNOWN, SUPERVISOR_CHILD_RUNNING or
   * SUPERVISOR_START_FAILED.
   */
  | { readonly kind: 'restart-child'; readonly id: string; readonly replyTo?: Ref<ChildReply> }
  /** Forgets the spec of a stopped child. Refused with SUPERVISOR_CHILD_UNKNOWN or SUPERVISOR_CHILD_RUNNING. */
  | { readonly kind: 'delete-child'; readonly id: string; readonly replyTo?: Ref<DoneReply> }
  | { readonly kind: 'child-spec'; readonly id: string; readonly replyTo: Ref<ChildSpec | undefined> };

export type DynamicSupervisorMessage<A, M = never> =
  | ChildQuery
  /** Starts a child from the template. Refused with SUPERVISOR_START_FAILED. */
  | { readonly kind: 'start-child'; readonly args: A; readonly replyTo?: Ref<ChildReply<M>> }
  /** Stops a child for good. Refused with SUPERVISOR_CHILD_UNKNOWN if the supervisor has no such child. */
  | { readonly kind: 'terminate-child'; readonly ref: Ref<never>; readonly replyTo?: Ref<DoneReply> };

/** What a supervisor sends to itself. */
export type ChildEvent =
  | { readonly kind: 'exited'; readonly id: string; readonly reason: ExitReason }
  | { readonly kind: 'due'; readonly id: string; readonly dueMs: number };
