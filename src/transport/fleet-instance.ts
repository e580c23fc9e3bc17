import { createInbox, type Msg, type NatsConnection } from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { SERVICE_NAME } from './discovery.ts';
import { checkFleetName } from './fleet-name.ts';
import { TIMED_OUT, within } from './within.ts';

/** A Shoal that serves a fleet. */
export interface FleetInstance {
  /** Its id as a NATS service, new at each start: `nats micro ls` shows it. */
  readonly id: string;
  /** Version of that Shoal. */
  readonly version: string;
}

export interface FindInstanceOptions {
  /** How long to wait for answers; default 1000. Where no Shoal of any fleet runs it takes one round trip. */
  readonly waitMs?: number;
  readonly clock?: Clock;
}

const WAIT_MS = 1_000;
const NO_RESPONDERS = 503;
const TEXT = /^[\x21-\x7e]{1,64}$/;

/**
 * Looks for a Shoal that serves this fleet on this NATS server, by `$SRV.PING`. Two that do answer at random.
 * @returns the first that answers in time; undefined if none does, and if the server's permissions do not let us ask
 * @throws CONFIG_VALUE for a fleet name that is none
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
  // Headers that cannot be read throw, and nothing may be thrown into nats.js.
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
