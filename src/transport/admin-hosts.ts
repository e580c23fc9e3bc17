import { createInbox, type NatsConnection } from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { explained, nobodyThere, unanswered } from './admin-client.ts';
import { decodeReply, encodeArgs, fromIn } from './admin-codec.ts';
import { isNobody } from './no-responders.ts';
import { type OpenCall, openCall } from './open-call.ts';
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
  const call = { nc, fleet, verb, args, timeoutMs, clock };
  const { answers, up, lost } = await gather(call, (heard) => [...heard.up].every((host) => heard.answers.has(host)));
  for (const host of new Set([...up, ...lost])) {
    if (answers.has(host)) continue;
    const error = unanswered({ ...call, host, server: nc.getServer() }, { details: { fleet, verb, host } });
    answers.set(host, { host, value: undefined, error });
  }
  return [...answers.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
}

/**
 * Finds a host that can do what any host can: one that stands still may be the one that a queue group gives a call to.
 * @returns the name of the host that answers first
 * @throws as `callEveryHost`
 */
export async function hostThatAnswers(
  nc: NatsConnection,
  fleet: string,
  { timeoutMs = TIMEOUT_MS, clock = systemClock }: CallEveryOptions = {},
): Promise<string | undefined> {
  const { answers } = await gather({ nc, fleet, verb: 'version', args: {}, timeoutMs, clock }, () => true);
  const [first] = answers.keys();
  return first;
}

interface Heard {
  /** In the order in which they came. */
  readonly answers: Map<string, HostAnswer>;
  readonly up: Set<string>;
  readonly lost: Set<string>;
}

interface CallOfEvery {
  readonly nc: NatsConnection;
  readonly fleet: string;
  readonly verb: string;
  readonly args: unknown;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** @param isComplete is asked after each answer */
async function gather(
  { nc, fleet, verb, args, timeoutMs, clock }: CallOfEvery,
  isComplete: (heard: Heard) => boolean,
): Promise<Heard> {
  const call = { fleet, verb, timeoutMs, server: nc.getServer() };
  const heard: Heard = { answers: new Map(), up: new Set(), lost: new Set() };
  const { answers, up, lost } = heard;
  const complete = Promise.withResolvers<void>();
  let inbox: { unsubscribe(): void } | undefined;
  let open: OpenCall | undefined;
  try {
    open = openCall(nc);
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
          if (isComplete(heard)) complete.resolve();
        }
      },
    });
    nc.publish(subjectsOf(fleet).every(verb), encodeArgs(args), { reply, headers: open.headers });
    await within(complete.promise, timeoutMs, clock);
  } catch (error) {
    throw explained(error, call);
  } finally {
    if (!nc.isClosed()) inbox?.unsubscribe();
    open?.close();
  }
  if (answers.size === 0) throw unanswered(call, { details: { fleet, verb } });
  return heard;
}

function answerIn(host: string, bytes: Uint8Array): HostAnswer {
  try {
    return { host, value: decodeReply(bytes), error: undefined };
  } catch (error) {
    return { host, value: undefined, error };
  }
}
