import { type Forwarder, passOn, plainKindOf, type Ref, shown } from '../actors/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import { ChildRunningError } from './child-running-error.ts';
import type { ChildReply, DoneReply } from './messages.ts';

/** @throws ACTOR_REF_INVALID, before anything is done that could not be replied to. */
export function checkReplyTo(replyTo: unknown): void {
  if (replyTo === undefined) return;
  if (typeof replyTo === 'object' && replyTo !== null && plainKindOf(replyTo) === 'ref') return;
  throw new ShoalError('ACTOR_REF_INVALID', `Expected \`replyTo\` to be a ref, got ${shown(replyTo)}`);
}

/** Starts a child and replies how that went. The child is started even if nobody waits for a reply. */
export async function replyStarted(
  by: Forwarder,
  to: Ref<ChildReply> | undefined,
  start: () => Promise<Ref<never> | undefined>,
): Promise<void> {
  let outcome: ChildReply;
  try {
    outcome = { ok: true, ref: await start() };
  } catch (error) {
    const refused = { ok: false, error: toEnvelope(error) } as const;
    outcome = error instanceof ChildRunningError ? { ...refused, ref: error.ref } : refused;
  }
  if (to !== undefined) passOn(by, to, outcome);
}

/** Like `replyStarted`, for work without a result. */
export async function replyDone(
  by: Forwarder,
  to: Ref<DoneReply> | undefined,
  work: () => void | Promise<void>,
): Promise<void> {
  let outcome: DoneReply;
  try {
    await work();
    outcome = { ok: true };
  } catch (error) {
    outcome = { ok: false, error: toEnvelope(error) };
  }
  if (to !== undefined) passOn(by, to, outcome);
}
