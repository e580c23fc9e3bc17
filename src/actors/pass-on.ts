import { types } from 'node:util';
import { fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { asCell } from './as-cell.ts';
import type { ActorSystem } from './behaviour.ts';
import { shown } from './checks.ts';
import type { DeadLetter } from './dead-letters.ts';
import { plainKindOf } from './plain-data.ts';
import type { Ref } from './ref.ts';

/** Who passes a message on: a context is one. */
export interface Forwarder {
  readonly self: Ref<never>;
  readonly system: Pick<ActorSystem, 'deadLetters'>;
}

/**
 * Tells `to` a message of somebody else. `tell` throws at a message that the receiver cannot take, such as one that
 * cannot cross to its thread. That is no failure of whoever passes it on: the message is a dead letter (`invalid`), and
 * asks that wait for a reply to it get the error.
 * @returns whether the message was taken
 */
export function passOn<M>(by: Forwarder, to: Ref<M>, message: M): boolean {
  try {
    return to.tell(message);
  } catch (error) {
    // A reply that cannot cross: its asker need not wait on.
    failReply(to, error);
    return refuse(by, { from: by.self.path, to: to.path, message }, error);
  }
}

/**
 * The handler of an actor that others rely on: a message that it cannot handle is not its own failure. It must change
 * nothing before it throws. A promise that is rejected is a failure.
 */
export function tolerant<M, R extends void | Promise<void>>(
  by: Forwarder,
  receive: (message: M) => R,
): (message: M) => R | undefined {
  return (message) => {
    try {
      return receive(message);
    } catch (error) {
      const { path, senderInHand } = asCell(by.self);
      refuse(by, { from: senderInHand?.path ?? '-', to: path, message }, error);
      return undefined;
    }
  };
}

/** The types forbid such a message, but not every user has them. @param kinds which there are */
export function unknownKind(message: never, ...kinds: readonly string[]): ShoalError {
  const text = `Expected a message whose \`kind\` is one of ${kinds.join(', ')}, got ${shown(message)}`;
  return new ShoalError('CONFIG_VALUE', text);
}

function refuse(by: Forwarder, letter: Pick<DeadLetter, 'from' | 'to' | 'message'>, why: unknown): false {
  by.system.deadLetters.add({ ...letter, why: 'invalid', error: toEnvelope(why) });
  failReplies(letter.message, why);
  return false;
}

/** Whoever waits for a reply to a message that does not reach its receiver need not wait on. */
export function failReplies(message: unknown, why: unknown): void {
  // A proxy may throw at each look.
  if (typeof message !== 'object' || message === null || types.isProxy(message)) return;
  const error = fromEnvelope(toEnvelope(why));
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(message))) failReply(value, error);
}

/** Refs of replies have this method, on whichever thread the asker lives. */
function failReply(ref: unknown, error: unknown): void {
  if (typeof ref !== 'object' || ref === null || plainKindOf(ref) !== 'ref') return;
  if ('fail' in ref && typeof ref.fail === 'function') ref.fail(error);
}
