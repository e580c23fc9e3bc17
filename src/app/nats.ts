import type { ActorSystem, Ref } from '../actors/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import type { Launcher } from '../process/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import {
  type Connection,
  type ConnectOptions,
  claimHostName,
  connect,
  type NatsServerMessage,
  type NatsServerStatus,
  natsServer,
  type PermissionNotice,
} from '../transport/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { DataDir } from './data-dir.ts';
import type { EventLog } from './event-log.ts';
import { aboutHost } from './hosts.ts';
import type { FleetOptions } from './up-options.ts';

/** The launcher, which starts other processes, and the connection to NATS. */
export interface Nats {
  readonly launcher: Launcher;
  readonly connection: Connection;
}

export interface NatsDeps {
  readonly options: FleetOptions;
  readonly data: DataDir;
  readonly system: ActorSystem;
  readonly launcher: Launcher;
  readonly eventLog: EventLog;
}

/** If our nats-server dies more often than this, Shoal gives up. */
const RESTARTS = { intensity: 5, periodMs: 10_000 };

/** Above the limits of its SIGTERM and SIGKILL together. */
const STOP_MS = 10_000;
const ASK_TIMEOUT_MS = 5_000;

/**
 * Connects to the NATS server that is named, or to one of our own, which is started or adopted.
 * @throws HOST_NAME_TAKEN if another host of the fleet has the name there
 */
export async function startNats(
  { options, data, system, launcher, eventLog }: NatsDeps,
  cleanUp: CleanUp,
): Promise<Nats> {
  const own = new OwnNats(options, eventLog);
  const url = options.nats ?? (await own.start(data, system, launcher, cleanUp));
  const { fleet } = options;
  const mayReconnect = (): boolean => options.nats !== undefined || own.serves;
  const onForbidden = ({ error }: PermissionNotice): void => eventLog.warn(error.message, toEnvelope(error));
  const opened = async (more: Pick<ConnectOptions, 'name' | 'noEcho' | 'onForbidden'>): Promise<Connection> => {
    const one = await connect({ servers: url, mayReconnect, ...more });
    own.onDied(() => one.reconnect());
    cleanUp.add(() => one.close());
    return one;
  };
  const [connection, claiming] = await settledAll([
    opened({ name: `shoal-server-${fleet}`, onForbidden }),
    opened({ name: `shoal-claim-${fleet}`, noEcho: true }),
  ]);
  const about = aboutHost(data.path);
  const claim = await claimHostName(claiming.nc, fleet, options.host, { about });
  if (claim.kind === 'ours') return { launcher, connection };
  await own.leave(system);
  throw nameTaken(options, connection.shown, about, claim.by);
}

/** As `Promise.all`, but none of the promises is under way any more if it rejects. */
async function settledAll<T extends readonly unknown[]>(promises: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(promises);
  // The mapped type is that of `Promise.all` for a tuple.
  return Promise.all(promises) as Promise<T>;
}

function nameTaken({ fleet, host }: FleetOptions, server: string, about: string, first: string): ShoalError {
  const other = first === '' ? 'one that says nothing of itself' : first;
  return new ShoalError(
    'HOST_NAME_TAKEN',
    `The fleet "${fleet}" on the NATS server at ${server} has a host called "${host}": ${other}. ` +
      `This one (${about}) is refused: give it a name of its own with --host, or name another fleet with --fleet`,
    { details: { fleet, host, server } },
  );
}

/** Our own nats-server, with its notices. */
class OwnNats {
  readonly #options: FleetOptions;
  readonly #eventLog: EventLog;
  readonly #first = Promise.withResolvers<NatsServerStatus>();
  /** False while it is dead: a server that answers at its address then is another program. */
  #serves = false;
  readonly #diedListeners: (() => void)[] = [];
  #waitsForPort = false;
  #actor: Ref<NatsServerMessage> | undefined;

  constructor(options: FleetOptions, eventLog: EventLog) {
    this.#options = options;
    this.#eventLog = eventLog;
  }

  get serves(): boolean {
    return this.#serves;
  }

  /** Calls the listener at each death. A connection may have found another server at the address before that is known. */
  onDied(listener: () => void): void {
    this.#diedListeners.push(listener);
  }

  /** @returns its URL */
  async start(data: DataDir, system: ActorSystem, spawner: Launcher, cleanUp: CleanUp): Promise<string> {
    const start = natsServer({
      directory: data.folder('nats'),
      spawner,
      fresh: this.#options.fresh,
      onServing: (status) => this.#serving(status),
      onDied: () => {
        this.#serves = false;
        for (const listener of this.#diedListeners) listener();
      },
      onPortTaken: (port) => this.#portTaken(port),
    });
    const onRef = (ref: Ref<NatsServerMessage>): void => {
      this.#actor = ref;
    };
    const children = [child({ id: 'server', start, shutdown: STOP_MS, onRef })];
    const root = await system.start(supervisor({ strategy: 'one_for_one', ...RESTARTS, children }), { name: 'nats' });
    cleanUp.add(() => system.stop(root));
    const { url, pid, adopted, portLost } = await this.#first.promise;
    const lost = portLost === undefined ? '' : `; its port ${portLost} of the last time is another program's`;
    this.#options.onProgress(`nats-server ${adopted ? 'adopted' : 'runs'} at ${url} (pid ${pid})${lost}`);
    return url;
  }

  /** From now on a stop leaves the server running, because others use it. */
  async leave(system: ActorSystem): Promise<void> {
    if (this.#actor === undefined) return;
    this.#actor.tell({ kind: 'leave' });
    // The answer comes after `leave` was handled. An actor that has failed leaves its server running too.
    const status = (replyTo: Ref<NatsServerStatus>): NatsServerMessage => ({ kind: 'status', replyTo });
    await system.ask(this.#actor, status, ASK_TIMEOUT_MS).catch(() => undefined);
  }

  #serving(status: NatsServerStatus): void {
    this.#serves = true;
    this.#first.resolve(status);
    if (this.#waitsForPort) this.#eventLog.warn(`nats-server runs again at ${status.url} (pid ${status.pid})`);
    this.#waitsForPort = false;
  }

  #portTaken(port: number): void {
    this.#waitsForPort = true;
    this.#eventLog.warn(
      `nats-server has ended, and another program has its port ${port}: nobody can send requests until that port is free again`,
    );
  }
}
