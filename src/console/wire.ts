import { ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { type Connection, callAdmin, connect, fleetEventIn, subjectsOf } from '../transport/mod.ts';

/** Where a fleet is spoken to. */
export interface Place {
  readonly servers: string;
  readonly fleet: string;
}

export interface WireOptions {
  readonly place: Place;
  readonly onEvent: (events: readonly FleetEvent[]) => void;
  /** The connection is lost. It may still come back by itself, but whoever uses it had better make another. */
  readonly onLost: (error: Error) => void;
}

/** A connection to a fleet that answers. */
export interface Wire {
  readonly fleet: string;
  /** URL of the NATS server, without passwords. */
  readonly nats: string;
  /** Calls a verb of administration. @throws what the verb threw; FLEET_NOT_RUNNING, REQUEST_DEADLINE, NATS_UNREACHABLE */
  ask(verb: string, args: unknown): Promise<unknown>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 2_500;
const EVENTS_AT_START = 200;

/** Connects, and hears the events from then on; the latest of before are heard first. @throws as `ask`, and CONFIG_VALUE */
export async function openWire({ place, onEvent, onLost }: WireOptions): Promise<Wire> {
  const { servers, fleet } = place;
  let isClosed = false;
  const connection = await connect({
    servers,
    name: 'shoal-top',
    timeoutMs: TIMEOUT_MS,
    onState: (state) => {
      if (state === 'lost' && !isClosed) onLost(lostError(connection));
    },
  });
  const ask = (verb: string, args: unknown): Promise<unknown> =>
    callAdmin(connection.nc, fleet, verb, args, TIMEOUT_MS);
  try {
    connection.nc.subscribe(subjectsOf(fleet).events, {
      callback: (error, message) => {
        const events = error === null ? fleetEventIn(message) : undefined;
        if (events !== undefined) onEvent([events]);
      },
    });
    // What this verb returns is this type, on both sides.
    onEvent((await ask('events', { count: EVENTS_AT_START })) as readonly FleetEvent[]);
  } catch (error) {
    await connection.close();
    throw error;
  }
  const close = (): Promise<void> => {
    isClosed = true;
    return connection.close();
  };
  return { fleet, nats: connection.shown, ask, close };
}

function lostError({ shown }: Connection): Error {
  return new ShoalError('NATS_UNREACHABLE', `nothing is heard of NATS at ${shown}`);
}
