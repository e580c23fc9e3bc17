import type { ActorSystem, Ref } from '../actors/mod.ts';
import { fromEnvelope } from '../errors.ts';
import { ChildRunningError } from './child-running-error.ts';
import type { ChildSpec } from './child-spec.ts';
import type {
  ChildCounts,
  ChildInfo,
  ChildQuery,
  ChildReply,
  DoneReply,
  DynamicSupervisorMessage,
  SupervisorMessage,
} from './messages.ts';
import { checkObject } from './spec-checks.ts';

/** Longer than most children may take to start or stop, because a supervisor is busy meanwhile. */
const TIMEOUT_MS_DEFAULT = 60_000;

type Asker = Pick<ActorSystem, 'ask'>;

/** The children, in the order of their start. Like all these calls, it also throws the errors of `ask`. */
export function whichChildren(
  system: Asker,
  ref: Ref<ChildQuery>,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<readonly ChildInfo[]> {
  return system.ask(
    ref,
    (replyTo: Ref<readonly ChildInfo[]>): ChildQuery => ({ kind: 'which-children', replyTo }),
    timeoutMs,
  );
}

export function countChildren(
  system: Asker,
  ref: Ref<ChildQuery>,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<ChildCounts> {
  return system.ask(ref, (replyTo: Ref<ChildCounts>): ChildQuery => ({ kind: 'count-children', replyTo }), timeoutMs);
}

/**
 * Starts a child. Resolves with its ref, or undefined if its behaviour returned `ignore`.
 * @throws SUPERVISOR_SPEC_INVALID; SUPERVISOR_CHILD_RUNNING, a `ChildRunningError` with the ref, if it is started
 * already; SUPERVISOR_CHILD_EXISTS if it is there and stopped; SUPERVISOR_START_FAILED
 */
export async function startChild<M>(
  system: Asker,
  ref: Ref<SupervisorMessage>,
  spec: ChildSpec<M>,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<Ref<M> | undefined> {
  // The child of a spec takes the messages that the spec is for.
  const ask = (replyTo: Ref<ChildReply<M>>): SupervisorMessage => ({
    kind: 'start-child',
    spec,
    replyTo: replyTo as Ref<ChildReply>,
  });
  return started(await system.ask(ref, ask, timeoutMs));
}

/** Starts a child of a dynamic supervisor. @throws SUPERVISOR_START_FAILED */
export async function startInstance<A, M>(
  system: Asker,
  ref: Ref<DynamicSupervisorMessage<A, M>>,
  args: A,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<Ref<M> | undefined> {
  const ask = (replyTo: Ref<ChildReply<M>>): DynamicSupervisorMessage<A, M> => ({ kind: 'start-child', args, replyTo });
  return started(await system.ask(ref, ask, timeoutMs));
}

/** @throws SUPERVISOR_CHILD_UNKNOWN */
export async function terminateChild(
  system: Asker,
  ref: Ref<SupervisorMessage>,
  id: string,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<void> {
  const ask = (replyTo: Ref<DoneReply>): SupervisorMessage => ({ kind: 'terminate-child', id, replyTo });
  done(await system.ask(ref, ask, timeoutMs));
}

/** Ends a child of a dynamic supervisor. @throws SUPERVISOR_CHILD_UNKNOWN */
export async function terminateInstance(
  system: Asker,
  ref: Ref<Extract<DynamicSupervisorMessage<never>, { kind: 'terminate-child' }>>,
  instance: Ref<never>,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<void> {
  const ask = (replyTo: Ref<DoneReply>) => ({ kind: 'terminate-child', ref: instance, replyTo }) as const;
  done(await system.ask(ref, ask, timeoutMs));
}

/**
 * Starts a child that was stopped.
 * @throws SUPERVISOR_CHILD_UNKNOWN, SUPERVISOR_CHILD_RUNNING, SUPERVISOR_START_FAILED
 */
export async function restartChild(
  system: Asker,
  ref: Ref<SupervisorMessage>,
  id: string,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<Ref<never> | undefined> {
  const ask = (replyTo: Ref<ChildReply>): SupervisorMessage => ({ kind: 'restart-child', id, replyTo });
  return started(await system.ask(ref, ask, timeoutMs));
}

/** @throws SUPERVISOR_CHILD_UNKNOWN, SUPERVISOR_CHILD_RUNNING */
export async function deleteChild(
  system: Asker,
  ref: Ref<SupervisorMessage>,
  id: string,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<void> {
  const ask = (replyTo: Ref<DoneReply>): SupervisorMessage => ({ kind: 'delete-child', id, replyTo });
  done(await system.ask(ref, ask, timeoutMs));
}

/** The spec of a child; undefined if no child has that id. */
export function childSpec(
  system: Asker,
  ref: Ref<SupervisorMessage>,
  id: string,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<ChildSpec | undefined> {
  return system.ask(
    ref,
    (replyTo: Ref<ChildSpec | undefined>): SupervisorMessage => ({ kind: 'child-spec', id, replyTo }),
    timeoutMs,
  );
}

/** The child of a spec, with the type of its messages; undefined if there is none, or it was never started. */
export async function childRef<M>(
  system: Asker,
  ref: Ref<ChildQuery>,
  spec: ChildSpec<M>,
  timeoutMs = TIMEOUT_MS_DEFAULT,
): Promise<Ref<M> | undefined> {
  checkObject('the spec of a child', spec);
  const children = await whichChildren(system, ref, timeoutMs);
  // As in `startChild`.
  return children.find(({ id }) => id === spec.id)?.ref as Ref<M> | undefined;
}

function started<M>(reply: ChildReply<M>): Ref<M> | undefined {
  if (reply.ok) return reply.ref;
  const { message, details } = reply.error;
  // An error holds a ref of messages of any type.
  if (reply.ref !== undefined) throw new ChildRunningError(message, reply.ref as Ref<never>, details);
  throw fromEnvelope(reply.error);
}

function done(reply: DoneReply): void {
  if (!reply.ok) throw fromEnvelope(reply.error);
}
