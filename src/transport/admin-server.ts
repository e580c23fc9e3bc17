import type { Msg, NatsConnection } from 'nats';
import { systemClock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { decodeArgs, encodeError, encodeReply } from './admin-codec.ts';
import { confirmSubscription } from './confirm-subscription.ts';
import { forbidden, violationOf } from './permissions.ts';
import { quote } from './quote.ts';
import { isReplySubject } from './reply-subject.ts';
import { QUEUE, subjectsOf } from './subjects.ts';
import { within } from './within.ts';

/** Executes one verb. Its result is sent as JSON; an error reaches the caller with its code. */
export type AdminHandler = (args: unknown) => Promise<unknown>;

export interface AdminServer {
  /** Stops taking calls and resolves once the open ones have been answered. */
  close(): Promise<void>;
}

/** Further calls are refused while this many are open. People and scripts never need more. */
const IN_FLIGHT_MAX = 256;
const DRAIN_LIMIT_MS = 2_000;

/**
 * Serves `shoal.<fleet>.admin.<verb>`. Resolves once the NATS server has confirmed the subscription.
 * @throws CONFIG_VALUE for a fleet or verb that cannot be part of a subject; NATS_FORBIDDEN; NATS_UNREACHABLE
 */
export async function serveAdmin(
  nc: NatsConnection,
  fleet: string,
  handlers: Readonly<Record<string, AdminHandler>>,
  clock = systemClock,
): Promise<AdminServer> {
  const subjects = subjectsOf(fleet);
  for (const verb of Object.keys(handlers)) subjects.admin(verb);
  const inHand = new Set<Promise<void>>();
  let refused: unknown = null;
  const subscription = nc.subscribe(subjects.adminAll, {
    queue: QUEUE,
    callback: (error, message) => {
      // An error ends the subscription. After the start, the connection reports it (`onForbidden`), and callers get "no responders".
      refused ??= error;
      if (error !== null || !isReplySubject(message.reply ?? '')) return;
      const answered = answer(nc, message, handlers, inHand.size).finally(() => inHand.delete(answered));
      inHand.add(answered);
    },
  });
  await confirmSubscription(nc, subjects.adminAll, clock);
  const violation = violationOf(refused);
  if (violation !== undefined) throw forbidden(violation, nc.getServer(), refused);
  return {
    close: async () => {
      // A server that is away never confirms the unsubscribe.
      if (!nc.isClosed() && !subscription.isClosed()) {
        await within(subscription.drain(), DRAIN_LIMIT_MS, clock).catch(() => undefined);
      }
      await Promise.all(inHand);
    },
  };
}

/** Never rejects. */
async function answer(
  nc: NatsConnection,
  message: Msg,
  handlers: Readonly<Record<string, AdminHandler>>,
  inHand: number,
): Promise<void> {
  const bytesMax = nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
  const verb = message.subject.slice(message.subject.lastIndexOf('.') + 1);
  let reply: Uint8Array;
  try {
    if (inHand >= IN_FLIGHT_MAX) throw tooMany(inHand);
    reply = encodeReply(verb, await handlerOf(handlers, verb)(decodeArgs(message.data)), bytesMax);
  } catch (error) {
    reply = encodeError(error, bytesMax);
  }
  try {
    message.respond(reply);
  } catch {
    // The connection has been closed; the caller runs into its own timeout.
  }
}

function handlerOf(handlers: Readonly<Record<string, AdminHandler>>, verb: string): AdminHandler {
  const handler = Object.hasOwn(handlers, verb) ? handlers[verb] : undefined;
  if (handler !== undefined) return handler;
  const known = Object.keys(handlers).sort();
  throw new ShoalError(
    'NATS_MESSAGE_INVALID',
    `This Shoal has no administration verb ${quote(verb)}; it has ${known.join(', ')}. Is one side of another version?`,
    { details: { verb: quote(verb), known } },
  );
}

function tooMany(inHand: number): ShoalError {
  return new ShoalError('REQUEST_OVERLOADED', `${inHand} administration calls are in hand already; try again`);
}
