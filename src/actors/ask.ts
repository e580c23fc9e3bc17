import { ShoalError } from '../errors.ts';
import { addresseeOf } from './addressee.ts';
import type { Kernel } from './kernel.ts';
import { checkedDuration } from './options.ts';
import type { Ref } from './ref.ts';
import { type Asker, ReplyRef } from './reply-ref.ts';

/** A request to an actor. */
export interface Request<M, R> {
  readonly to: Ref<M>;
  readonly toMessage: (replyTo: Ref<R>) => M;
  readonly timeoutMs: number;
}

/**
 * Sends the request. The asker is told in the very moment of the reply, so that the reply keeps its place among the
 * other messages from the actor that was asked.
 * @returns the ref for the reply; failing it gives the request up
 */
export function ask<M, R>(
  kernel: Pick<Kernel, 'current' | 'deadLetters' | 'deadlines'>,
  { to, toMessage, timeoutMs }: Request<M, R>,
  asker: Asker<R>,
): ReplyRef<R> {
  checkedDuration('timeoutMs', timeoutMs);
  const actor = addresseeOf(to);
  const replyTo = new ReplyRef<R>(kernel, actor, timeoutMs, asker);
  try {
    if (to.tell(toMessage(replyTo))) return replyTo;
  } catch (error) {
    replyTo.fail(error);
    return replyTo;
  }
  const stopped = actor.state === 'stopped' || actor.state === 'stopping';
  const error = stopped
    ? new ShoalError('ACTOR_STOPPED', `${to.path} is not running`)
    : new ShoalError('ACTOR_MAILBOX_FULL', `the mailbox of ${to.path} is full (${actor.depth} messages)`);
  replyTo.fail(error);
  return replyTo;
}
