import type { Ref } from '../actors/mod.ts';
import { toEnvelope } from '../errors.ts';
import type { ChildReply, DoneReply } from './messages.ts';

/** Replies, if anybody wants to know, how a start went. It is done first, for it must be done also when nobody does. */
export async function replyStarted(
  to: Ref<ChildReply> | undefined,
  start: () => Promise<Ref<never> | undefined>,
): Promise<void> {
  let outcome: ChildReply;
  try {
    outcome = { ok: true, ref: await start() };
  } catch (error) {
    outcome = { ok: false, error: toEnvelope(error) };
  }
  to?.tell(outcome);
}

/** As `replyStarted`, of work that has no result. */
export async function replyDone(to: Ref<DoneReply> | undefined, work: () => void | Promise<void>): Promise<void> {
  let outcome: DoneReply;
  try {
    await work();
    outcome = { ok: true };
  } catch (error) {
    outcome = { ok: false, error: toEnvelope(error) };
  }
  to?.tell(outcome);
}
