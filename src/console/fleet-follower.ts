import type { Clock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import {
  type Connection,
  callAdmin,
  callEveryHost,
  connect,
  fleetEventIn,
  type HostAnswer,
  subjectsOf,
} from '../transport/mod.ts';
import { eventsIn } from './replies.ts';
import { ToldEvents } from './told-events.ts';

/** Where a fleet is spoken to. */
export interface Place {
  readonly servers: string;
  readonly fleet: string;
}

/** Calls a verb of every host. @throws as `callEveryHost`, and `callAdmin` if one host is followed */
export type Every = (verb: string, args: unknown) => Promise<readonly HostAnswer[]>;

/** The fleet that is followed, as long as it is not lost. */
export interface Followed {
  readonly fleet: string;
  /** URL of the NATS server, without passwords. */
  readonly nats: string;
  /** Calls one host's verb, or any host's. */
  readonly ask: (verb: string, args: unknown, host?: string) => Promise<unknown>;
  /** Calls every host's verb, or that of the host that is followed. */
  readonly every: Every;
}

export interface FollowOptions {
  /** Says where the fleet is; asked again after each loss, since it may come back elsewhere. Throws while it is nowhere. */
  readonly find: () => Place;
  /** Shown in the NATS server's list of connections. */
  readonly name: string;
  /** How many of the latest events are told first. */
  readonly eventsAtStart: number;
  /** Follows this host alone; default: all hosts. */
  readonly host?: string | undefined;
  readonly clock: Clock;
  readonly onEvent: (event: FleetEvent) => void;
  /** Looks at the fleet, once a second. If this rejects, the fleet is lost. */
  readonly look: (followed: Followed) => Promise<void>;
  /** Called at each look that fails, with the reason. */
  readonly onLost: (error: unknown) => void;
  /** The fleet is there again. The events that it remembers of the time between follow. */
  readonly onBack?: () => void;
}

/** As many as a Shoal remembers. */
export const EVENTS_KEPT = 1_000;
const LOOK_EVERY_MS = 1_000;
const TIMEOUT_MS = 2_500;

interface Wire extends Followed {
  readonly connection: Connection;
}

/**
 * Follows a fleet over a connection that is made anew whenever it is lost: looks at it once a second, and tells each of its events once.
 */
export class FleetFollower {
  readonly #options: FollowOptions;
  readonly #told: ToldEvents;
  /** Connections that are being closed: the next does not wait for them. */
  readonly #closing = new Set<Promise<void>>();
  #wire: Wire | undefined;
  #isAway = false;
  #isClosed = false;
  #wasThere = false;
  #endPause: () => void = () => undefined;

  private constructor(options: FollowOptions) {
    this.#options = options;
    this.#told = new ToldEvents(options.onEvent);
  }

  /** Connects and passes the latest events on. @throws FLEET_NOT_RUNNING, NATS_UNREACHABLE */
  static async open(options: FollowOptions): Promise<FleetFollower> {
    const follower = new FleetFollower(options);
    try {
      follower.#wire = await follower.#connect();
    } catch (error) {
      await follower.close();
      throw error;
    }
    return follower;
  }

  /** Looks again and again until it is closed. Never rejects. */
  async follow(): Promise<void> {
    for (;;) {
      await this.#pause();
      if (this.#isClosed) return;
      await this.look().catch((error: unknown) => this.#lose(error));
    }
  }

  /** Looks once. @throws if there is nothing to see */
  async look(): Promise<void> {
    this.#wire ??= await this.#connect();
    await this.#options.look(this.#wire);
  }

  /** Calls a verb of administration. @throws as `callAdmin`; NATS_UNREACHABLE while the fleet is lost */
  async ask(verb: string, args: unknown, host?: string): Promise<unknown> {
    if (this.#wire === undefined) throw new ShoalError('NATS_UNREACHABLE', 'The connection is lost');
    return this.#wire.ask(verb, args, host ?? this.#options.host);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause();
    this.#drop();
    await Promise.all(this.#closing);
  }

  async #connect(): Promise<Wire> {
    const { servers, fleet } = this.#options.find();
    const connection = await connect({
      servers,
      name: this.#options.name,
      timeoutMs: TIMEOUT_MS,
      onState: (state) => {
        if (state === 'lost' && this.#wire?.connection === connection) this.#lose(lostError(connection));
      },
    });
    const { host: only } = this.#options;
    const ask: Wire['ask'] = (verb, args, host) => callAdmin(connection.nc, fleet, verb, args, TIMEOUT_MS, host);
    const every: Every = async (verb, args) => {
      if (only !== undefined) return [{ host: only, value: await ask(verb, args, only), error: undefined }];
      return callEveryHost(connection.nc, fleet, verb, args, { timeoutMs: TIMEOUT_MS });
    };
    try {
      await this.#hear(connection, fleet, every);
      if (this.#isClosed) throw new ShoalError('NATS_UNREACHABLE', 'closed meanwhile');
    } catch (error) {
      await connection.close();
      throw error;
    }
    return { fleet, nats: connection.shown, ask, every, connection };
  }

  /** Listens before it asks for the latest events, so that none falls between. */
  async #hear({ nc }: Connection, fleet: string, every: Every): Promise<void> {
    let early: FleetEvent[] | undefined = [];
    nc.subscribe(subjectsOf(fleet).events, {
      callback: (error, message) => {
        const event = error === null ? fleetEventIn(message) : undefined;
        if (event === undefined || this.#isClosed) return;
        const { host } = this.#options;
        if (host !== undefined && event.host !== host) return;
        if (early === undefined) this.#told.live(event);
        else if (early.length < EVENTS_KEPT) early.push(event);
      },
    });
    const count = this.#wasThere ? EVENTS_KEPT : this.#options.eventsAtStart;
    const answers = await every('events', { count });
    if (answers.every(({ error }) => error !== undefined)) throw answers[0]?.error;
    const told = answers.flatMap(({ value, error }) => (error === undefined ? eventsIn(value) : []));
    const latest = told.sort((a, b) => a.atMs - b.atMs).slice(-count);
    if (this.#isClosed) return;
    if (this.#isAway) this.#options.onBack?.();
    this.#isAway = false;
    this.#wasThere = true;
    this.#told.remembered(latest);
    for (const event of early) this.#told.live(event);
    early = undefined;
  }

  #lose(error: unknown): void {
    if (this.#isClosed) return;
    this.#drop();
    this.#isAway = true;
    this.#options.onLost(error);
  }

  #drop(): void {
    const wire = this.#wire;
    this.#wire = undefined;
    if (wire === undefined) return;
    const closing = wire.connection.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve();
      const cancel = this.#options.clock.timer(LOOK_EVERY_MS, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}

function lostError({ shown }: Connection): ShoalError {
  return new ShoalError('NATS_UNREACHABLE', `Nothing is heard of NATS at ${shown}`);
}
