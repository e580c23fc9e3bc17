import type { Msg, NatsConnection, Subscription } from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { type AnswerFrom, decodeArgs, encodeError, encodeReply } from './admin-codec.ts';
import { confirmSubscription } from './confirm-subscription.ts';
import { isWaitedFor } from './open-call.ts';
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

export interface ServeAdminOptions {
  /** The host that serves, and names of others of its fleet; default: it serves for the whole fleet alone. */
  readonly host?: { readonly name: string; others(): Omit<AnswerFrom, 'host'> };
  readonly clock?: Clock;
}

/**
 * Serves `shoal.<fleet>.admin.<verb>`, of which any host answers one call; `shoal.<fleet>.host.<host>.<verb>`, which this host alone answers;
 * and `shoal.<fleet>.every.<verb>`, which each host answers, and says who it is and which others it knows of. Resolves once the NATS server
 * has confirmed the subscriptions.
 * @throws CONFIG_VALUE for a fleet, host or verb that cannot be part of a subject; NATS_FORBIDDEN; NATS_UNREACHABLE
 */
export async function serveAdmin(
  nc: NatsConnection,
  fleet: string,
  handlers: Readonly<Record<string, AdminHandler>>,
  { host, clock = systemClock }: ServeAdminOptions = {},
): Promise<AdminServer> {
  const subjects = subjectsOf(fleet);
  for (const verb of Object.keys(handlers)) subjects.admin(verb);
  const inHand = new Set<Promise<void>>();
  let refused: unknown = null;
  const serve = (subject: string, queue?: string, from?: () => AnswerFrom): Subscription =>
    nc.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        // An error ends the subscription. After the start, the connection reports it (`onForbidden`), and callers get "no responders".
        refused ??= error;
        if (error !== null || !isReplySubject(message.reply ?? '')) return;
        const call = { nc, message, handlers, inHand: inHand.size, from };
        const answered = answer(call).finally(() => inHand.delete(answered));
        inHand.add(answered);
      },
    });
  const subscriptions = [serve(subjects.adminAll, QUEUE)];
  if (host !== undefined) {
    subscriptions.push(serve(subjects.hostAdmin(host.name, '*')));
    subscriptions.push(serve(subjects.everyAll, undefined, () => ({ host: host.name, ...host.others() })));
  }
  await confirmSubscription(nc, subjects.adminAll, clock);
  const violation = violationOf(refused);
  if (violation !== undefined) throw forbidden(violation, nc.getServer(), refused);
  return {
    close: async () => {
      // A server that is away never confirms the unsubscribe.
      const drained = subscriptions.map(async (subscription) => {
        if (nc.isClosed() || subscription.isClosed()) return;
        await within(subscription.drain(), DRAIN_LIMIT_MS, clock).catch(() => undefined);
      });
      await Promise.all(drained);
      await Promise.all(inHand);
    },
  };
}

interface Call {
  readonly nc: NatsConnection;
  readonly message: Msg;
  readonly handlers: Readonly<Record<string, AdminHandler>>;
  readonly inHand: number;
  /** Of a call that each host answers: who this is. */
  readonly from: (() => AnswerFrom) | undefined;
}

/** Never rejects. */
async function answer({ nc, message, handlers, inHand, from }: Call): Promise<void> {
  const bytesMax = nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
  const verb = message.subject.slice(message.subject.lastIndexOf('.') + 1);
  let reply: Uint8Array;
  try {
    if (inHand >= IN_FLIGHT_MAX) throw tooMany(inHand);
    const handler = handlerOf(handlers, verb);
    const args = decodeArgs(message.data);
    if (!(await isWaitedFor(nc, message))) return;
    const value = await handler(args);
    reply = encodeReply(verb, value, bytesMax, from?.());
  } catch (error) {
    reply = encodeError(error, bytesMax, from?.());
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
