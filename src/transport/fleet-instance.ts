import { createInbox, type Msg, type NatsConnection } from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { SERVICE_NAME } from './discovery.ts';
import { checkFleetName } from './fleet-name.ts';
import { TIMED_OUT, within } from './within.ts';

/** A Shoal that serves a fleet. */
export interface FleetInstance {
  /** Its NATS service id, new on each start; `nats micro ls` shows it. */
  readonly id: string;
  /** Version of that Shoal. */
  readonly version: string;
}

export interface FindInstanceOptions {
  /** How long to wait for answers; default 1000. If no Shoal of any fleet runs, one round trip is enough. */
  readonly waitMs?: number;
  readonly clock?: Clock;
}

const WAIT_MS = 1_000;
const NO_RESPONDERS = 503;
const TEXT = /^[\x21-\x7e]{1,64}$/;

/**
 * Looks for a Shoal that serves this fleet on this NATS server, with `$SRV.PING`. If two serve it, clients reach either at random.
 * @returns the first that answers in time; undefined if none does, or if the permissions of the server forbid to ask
 * @throws CONFIG_VALUE for an invalid fleet name
 */
export async function findFleetInstance(
  nc: NatsConnection,
  fleet: string,
  { waitMs = WAIT_MS, clock = systemClock }: FindInstanceOptions = {},
): Promise<FleetInstance | undefined> {
  checkFleetName(fleet);
  const inbox = createInbox();
  const found = Promise.withResolvers<FleetInstance | undefined>();
  const subscription = nc.subscribe(inbox, {
    callback: (error, message) => {
      if (error !== null || isNobody(message)) found.resolve(undefined);
      const instance = error === null ? instanceIn(message, fleet) : undefined;
      if (instance !== undefined) found.resolve(instance);
    },
  });
  try {
    nc.publish(`$SRV.PING.${SERVICE_NAME}`, '', { reply: inbox });
    const answer = await within(found.promise, waitMs, clock);
    return answer === TIMED_OUT ? undefined : answer;
  } finally {
    if (!nc.isClosed()) subscription.unsubscribe();
  }
}

function isNobody(message: Msg): boolean {
  // Malformed headers throw, and nats.js stops reading when a callback throws.
  try {
    return message.headers?.code === NO_RESPONDERS && message.data.length === 0;
  } catch {
    return false;
  }
}

/** Anybody may answer a ping, with anything. */
function instanceIn(message: Msg, fleet: string): FleetInstance | undefined {
  try {
    const answer = message.json<{ id?: unknown; version?: unknown; metadata?: { fleet?: unknown } | null } | null>();
    const { id, version, metadata } = answer ?? {};
    if (metadata?.fleet !== fleet || typeof id !== 'string' || !TEXT.test(id)) return undefined;
    return { id, version: typeof version === 'string' && TEXT.test(version) ? version : '' };
  } catch {
    return undefined;
  }
}
