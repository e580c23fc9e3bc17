import { createInbox, type NatsConnection } from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { explained, nobodyThere, unanswered } from './admin-client.ts';
import { decodeReply, encodeArgs, fromIn } from './admin-codec.ts';
import { isNobody } from './no-responders.ts';
import { subjectsOf } from './subjects.ts';
import { within } from './within.ts';

/** What one host answered to a call of every host. */
export interface HostAnswer {
  readonly host: string;
  /** What its verb returned; undefined if it failed. */
  readonly value: unknown;
  /** What its verb threw; REQUEST_DEADLINE if the host did not answer; undefined if it answered. */
  readonly error: unknown;
}

export interface CallEveryOptions {
  /** How long hosts may take to answer; default 3000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

const TIMEOUT_MS = 3_000;

/**
 * Calls an administration verb of every host of a fleet. Each answer names the hosts that its sender knows, so hosts need not be listed
 * anywhere. Resolves as soon as all that are up have answered; a host that does not is named after `timeoutMs`, and one that the others have
 * lost without a wait.
 * @returns at least one answer, in the order of the hosts' names
 * @throws FLEET_NOT_RUNNING if nobody serves the fleet; REQUEST_DEADLINE if no host answered; NATS_UNREACHABLE
 */
export async function callEveryHost(
  nc: NatsConnection,
  fleet: string,
  verb: string,
  args?: unknown,
  { timeoutMs = TIMEOUT_MS, clock = systemClock }: CallEveryOptions = {},
): Promise<readonly HostAnswer[]> {
  const call = { fleet, verb, timeoutMs, server: nc.getServer() };
  const answers = new Map<string, HostAnswer>();
  const up = new Set<string>();
  const lost = new Set<string>();
  const complete = Promise.withResolvers<void>();
  let inbox: { unsubscribe(): void } | undefined;
  try {
    const reply = createInbox();
    inbox = nc.subscribe(reply, {
      callback: (error, message) => {
        if (error !== null) complete.reject(explained(error, call));
        else if (isNobody(message)) complete.reject(nobodyThere(call, { details: { fleet, verb } }));
        else {
          const from = fromIn(message.data);
          // Anybody may publish here.
          if (from === undefined || answers.has(from.host)) return;
          answers.set(from.host, answerIn(from.host, message.data));
          for (const host of from.up) up.add(host);
          for (const host of from.lost) lost.add(host);
          if ([...up].every((host) => answers.has(host))) complete.resolve();
        }
      },
    });
    nc.publish(subjectsOf(fleet).every(verb), encodeArgs(args), { reply });
    await within(complete.promise, timeoutMs, clock);
  } catch (error) {
    throw explained(error, call);
  } finally {
    if (!nc.isClosed()) inbox?.unsubscribe();
  }
  if (answers.size === 0) throw unanswered(call, { details: { fleet, verb } });
  for (const host of new Set([...up, ...lost])) {
    if (answers.has(host)) continue;
    const error = unanswered({ ...call, host }, { details: { fleet, verb, host } });
    answers.set(host, { host, value: undefined, error });
  }
  return [...answers.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
}

function answerIn(host: string, bytes: Uint8Array): HostAnswer {
  try {
    return { host, value: decodeReply(bytes), error: undefined };
  } catch (error) {
    return { host, value: undefined, error };
  }
}
