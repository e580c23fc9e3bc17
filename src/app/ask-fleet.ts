import {
  type Connection,
  callAdmin,
  callEveryHost,
  connect,
  type HostAnswer,
  hostThatAnswers,
} from '../transport/mod.ts';
import type { FleetAddress } from './find.ts';

/** The verbs of administration of a fleet's hosts. */
export interface FleetCalls {
  /** @returns what one host answered; if none is named, one that answers, so that a host that stands still holds nobody up @throws as `callAdmin` */
  ask(verb: string, args: unknown, host?: string): Promise<unknown>;
  /** @returns what every host answered, or the one that is named @throws as `callEveryHost`, and for a named host as `callAdmin` */
  every(verb: string, args: unknown, host?: string): Promise<readonly HostAnswer[]>;
}

/** A host that is named may take this long. */
const HOST_TIMEOUT_MS = 5_000;

/** Calls verbs over a connection of its own, which ends with `use`. @throws NATS_UNREACHABLE, and what `use` throws */
export async function withFleet<T>(
  { servers, fleet }: FleetAddress,
  name: string,
  use: (calls: FleetCalls) => Promise<T>,
): Promise<T> {
  const connection = await connect({ servers, name: `shoal-${name}` });
  try {
    return await use(callsOver(connection, fleet));
  } finally {
    await connection.close();
  }
}

/** @param timeoutMs of each call; default 5000 for one host, 3000 for every */
export function callsOver({ nc }: Pick<Connection, 'nc'>, fleet: string, timeoutMs?: number): FleetCalls {
  const timing = timeoutMs === undefined ? {} : { timeoutMs };
  const ask: FleetCalls['ask'] = async (verb, args, named) => {
    const host = named ?? (await hostThatAnswers(nc, fleet, timing));
    return callAdmin(nc, fleet, verb, args, timeoutMs ?? HOST_TIMEOUT_MS, host);
  };
  return {
    ask,
    every: async (verb, args, host) => {
      if (host !== undefined) return [{ host, value: await ask(verb, args, host), error: undefined }];
      return callEveryHost(nc, fleet, verb, args, timing);
    },
  };
}

/**
 * Calls one administration verb of a fleet over a connection of its own: of one host, or of any if none is named.
 * @typeParam T the verb's result
 * @throws FLEET_NOT_RUNNING, HOST_UNKNOWN, NATS_UNREACHABLE, and the verb's own errors
 */
export function askFleet<T>(where: FleetAddress, verb: string, args: unknown, host?: string): Promise<T> {
  // The verbs and their results are defined in `admin/`; a Shoal of another version that lacks one says so.
  return withFleet(where, verb, ({ ask }) => ask(verb, args, host) as Promise<T>);
}
