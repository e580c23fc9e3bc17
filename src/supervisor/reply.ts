import { type Forwarder, passOn, type Ref } from '../actors/mod.ts';
import { toEnvelope } from '../errors.ts';
import { ChildRunningError } from './child-running-error.ts';
import type { ChildReply, DoneReply } from './messages.ts';

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
