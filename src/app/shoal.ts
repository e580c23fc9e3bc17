import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ActorSystem, createSystem } from '../actors/mod.ts';
import { codeOf, fromEnvelope, messageOf, ShoalError } from '../errors.ts';
import { type FleetSnapshot, type RequestEndReason, shortDigest } from '../fleet/mod.ts';
import { type ImageInfo, loadImage, runtimeRoot } from '../hypervisor/mod.ts';
import { checkProc, createLauncher } from '../process/mod.ts';
import { type ImageStore, openImageStore, type Store } from '../store/mod.ts';
import { authority, type Connection, createRequester, subjectsOf } from '../transport/mod.ts';
import { askSnapshot } from './ask-router.ts';
import { CleanUp } from './clean-up.ts';
import { hasOwnEvent } from './core.ts';
import { DataDir } from './data-dir.ts';
import type { OwnDeploy } from './deploy/own-deploy.ts';
import { EventLog } from './event-log.ts';
import { EventLogger } from './event-logger.ts';
import { type FleetActors, startFleet } from './fleet-actors.ts';
import { settleHostName } from './host-name.ts';
import { imageToStart } from './image-to-start.ts';
import { countVms, refuseMoved } from './left-vms.ts';
import { startNats } from './nats.ts';
import { startShards } from './shards.ts';
import { openTables } from './tables.ts';
import type { UpOptions } from './up-options.ts';

/** A running Shoal, in this process. */
export interface Shoal {
  /** URL of its NATS server. */
  readonly nats: string;
  readonly fleet: string;
  /** The subject that takes requests. */
  readonly subject: string;
  /** URL of its HTTP front door; undefined if it has none. */
  readonly http: string | undefined;
  /** `kvm` or `tcg`. */
  readonly accelerator: string;
  /** The program that new VMs run on; empty on a host without VMs. */
  readonly qemu: string;
  /** Resolves with the error of a part that failed for good. */
  readonly failed: Promise<Error>;
  /** Resolves when `shoal down` asks it to end. */
  readonly asked: Promise<void>;
  /** Resolves once the first VMs are ready, at once on a host without VMs; rejects if the start gives up. */
  readonly firstReady: Promise<void>;
  snapshot(): Promise<FleetSnapshot>;
  /** Sends one request the whole way, once the first VMs are ready. */
  greet(text: string): Promise<Greeting>;
  /**
   * Replaces the image of this host's VMs, the rest as soon as one VM of it is ready. Resolves at the end.
   * @throws IMAGE_MISSING, IMAGE_INVALID, PROFILE_INVALID; DEPLOY_RUNNING if another deploy comes first
   */
  deploy(image: string): Promise<OwnDeploy>;
  /** Answers the requests in flight, then ends everything that was started. Calling it again returns the same promise. */
  stop(): Promise<void>;
  /** After a stop: how many VMs could not be ended, because they could not be identified. */
  left(): Promise<number>;
  /** From now on a stop leaves the VMs running for the next Shoal. */
  keepVms(): void;
  /** Cuts short a stop that is under way: requests are refused, VMs killed. */
  hurry(): void;
}

export interface Greeting {
  /** Undefined if the service refuses such a text or fails over it, which is an answer too, or if it has not answered. */
  readonly text: string | undefined;
  /** Status and message of a refusal; empty if there is a text. */
  readonly refusal: string;
  /** Undefined if no VM has answered in time: what a service computes for such a text need not come to an end. */
  readonly vm: number | undefined;
  readonly ms: number;
}

const ASK_TIMEOUT_MS = 5_000;
/** How long one try of a greeting may take. */
const GREET_TRY_MS = 3_000;
const GREET_PAUSE_MS = 200;
const GREET_FAILURES_MAX = 3;
/** Any host may have taken the greeting: that one fails with it, leaves or dies says nothing of this one. */
const OF_ANY_HOST: ReadonlySet<string | undefined> = new Set(['REQUEST_VM_FAILED', 'REQUEST_OVERLOADED']);

/**
 * Starts everything on this machine: data directory, launcher, NATS, controller, router, endpoint, administration.
 * @param signal aborts the start; everything that was started is ended before the promise settles
 * @throws the error of the part that cannot start; nothing is left running then
 */
export async function startShoal(asked: UpOptions, signal: AbortSignal): Promise<Shoal> {
  const cleanUp = new CleanUp();
  try {
    checkProc();
    // Threads that find no place for VMs would say so as well, after a NATS server was started.
    if (asked.role !== 'server') runtimeRoot();
    // A fleet name and an image that cannot be used are refused before anything is started.
    subjectsOf(asked.fleet);
    const source = await sourceOf(asked);
    const data = await DataDir.open(asked.dataDir);
    cleanUp.add(() => data.close());
    await refuseMoved(data.path);
    await data.settle();
    const images = await openImageStore(join(data.path, IMAGE_FILE));
    const image = await imageToStart(data, images, await startsAnew(asked, data.tag), source);
    const store = await openTables(asked, data, cleanUp);
    const options = { ...asked, host: await hostNameOf(asked, data, store) };
    const eventLog = new EventLog(undefined, options.host);
    // Before anything can be told: who starts Shoal must see a warning of the start, too.
    eventLog.listen(options.onEvent);
    const logger = new EventLogger(eventLog);
    const { system, failed } = createRoot(logger);
    cleanUp.add(() => system.shutdown());
    const launcher = createLauncher();
    cleanUp.add(() => launcher.close());
    // Threads take the longest to start. The other steps go on meanwhile.
    const onShards = startShards({ options, system, spawner: launcher, tag: data.tag, eventLog }, cleanUp);
    const nats = await startNats({ options, data, system, launcher, eventLog }, cleanUp);
    signal.throwIfAborted();
    const down = Promise.withResolvers<void>();
    tellUnused(eventLog, asked, source, images);
    const deps = { options, image, images, data, store, system, nats, eventLog, onShards, onDown: down.resolve };
    const actors = await startFleet(deps, cleanUp);
    cleanUp.add(async () => logger.end());
    signal.throwIfAborted();
    const { shown } = nats.connection;
    const login = options.nats === undefined || options.nats === shown ? {} : { login: options.nats };
    // What is deployed is not the file of the command line.
    const path = source?.digest === image.digest ? source.path : image.path;
    await data.announce({
      fleet: options.fleet,
      nats: shown,
      ...login,
      image: { path, digest: image.digest },
      startedMs: system.clock.now(),
    });
    const { bootTimeoutMs } = actors;
    const greetMs = 2 * bootTimeoutMs;
    return new RunningShoal({
      tag: data.tag,
      fleet: options.fleet,
      system,
      connection: nats.connection,
      actors,
      failed,
      asked: down.promise,
      cleanUp,
      greetMs,
      profileSet: asked.profileSet,
    });
  } catch (error) {
    // The error of the start matters more than one of the clean-up.
    await cleanUp.run().catch(() => undefined);
    throw causeOf(error);
  }
}

const IMAGE_FILE = 'image.json';

/** The image of the command line; undefined if it cannot be used and another one is deployed. @throws IMAGE_MISSING, IMAGE_INVALID */
async function sourceOf({ image, profile, profileSet, dataDir, fresh }: UpOptions): Promise<ImageInfo | undefined> {
  try {
    return await loadImage(image, { profile, set: profileSet });
  } catch (error) {
    if (fresh || !existsSync(join(dataDir, IMAGE_FILE))) throw error;
    return undefined;
  }
}

/** A file that was changed is deployed only if somebody asks for that. */
function tellUnused(
  eventLog: EventLog,
  { image, service }: UpOptions,
  source: ImageInfo | undefined,
  { last }: ImageStore,
): void {
  if (last === undefined || source === undefined || source.digest === last.image) return;
  const deployed = shortDigest(last.image);
  const file = service ?? image;
  eventLog.warn(
    `VMs are started from the image ${deployed}, which was deployed, and not from ${file} (${shortDigest(source.digest)}): \`shoal image deploy ${file}\` deploys that`,
  );
}

/**
 * Whether VMs are started from the image of the command line, whatever was deployed. A service that is watched would be deployed next anyway.
 * If there are VMs, that deploy replaces them one by one.
 */
async function startsAnew({ fresh, watch = false }: UpOptions, tag: string): Promise<boolean> {
  return fresh || (watch && (await countVms(tag)) === 0);
}

function hostNameOf({ host, fresh }: UpOptions, { path, tag }: DataDir, store: Store): Promise<string> {
  // With --fresh the VMs end anyway, and their name with them.
  const heldVms = async () => (fresh ? 0 : countVms(tag));
  return settleHostName({ directory: path, store, wanted: host, heldVms });
}

/** The error of the part that failed, without the supervisors' errors around it. */
function causeOf(error: unknown): unknown {
  const isOurs = error instanceof ShoalError && error.code === 'SUPERVISOR_START_FAILED';
  return isOurs && error.cause !== undefined ? causeOf(error.cause) : error;
}

/** A service of bytes may make anything of a text. */
function shownReply(payload: Uint8Array): string {
  return isUtf8(payload) ? new TextDecoder().decode(payload) : `${payload.length} bytes`;
}

/** What a service says of a text that it does not take, or fails over; undefined for other errors. */
function refusalOf(error: unknown): Omit<Greeting, 'ms'> | undefined {
  if (!(error instanceof ShoalError)) return undefined;
  const { status, vm, reason } = error.details;
  if (typeof vm !== 'number' || typeof status !== 'string') return undefined;
  if (!/^4\d\d$/.test(status) && reason !== ('guest-failed' satisfies RequestEndReason)) return undefined;
  return { text: undefined, refusal: `${status} (${error.message})`, vm };
}

/** A failure at the top level is one that no supervisor could mend. */
function createRoot(logger: EventLogger): { system: ActorSystem; failed: Promise<Error> } {
  const { promise, resolve } = Promise.withResolvers<Error>();
  const system = createSystem({
    logger,
    onFailure: (path, error) => {
      const isTop = path.lastIndexOf('/') === 0;
      if (isTop) resolve(fromEnvelope(error));
      else if (!hasOwnEvent(path, error)) system.logFailure(path, error);
    },
  });
  return { system, failed: promise };
}

interface Parts {
  readonly tag: string;
  readonly fleet: string;
  readonly system: ActorSystem;
  readonly connection: Connection;
  readonly actors: FleetActors;
  readonly failed: Promise<Error>;
  readonly asked: Promise<void>;
  readonly cleanUp: CleanUp;
  readonly greetMs: number;
  readonly profileSet: UpOptions['profileSet'];
}

class RunningShoal implements Shoal {
  readonly nats: string;
  readonly fleet: string;
  readonly subject: string;
  readonly http: string | undefined;
  readonly accelerator: string;
  readonly qemu: string;
  readonly failed: Promise<Error>;
  readonly asked: Promise<void>;
  readonly firstReady: Promise<void>;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.nats = parts.connection.shown;
    this.fleet = parts.fleet;
    this.subject = subjectsOf(parts.fleet).process;
    const { http } = parts.actors;
    this.http = http === undefined ? undefined : `http://${authority(http)}`;
    this.accelerator = parts.actors.accelerator;
    this.qemu = parts.actors.qemu;
    this.failed = parts.failed;
    this.asked = parts.asked;
    this.firstReady = parts.actors.firstReady;
    this.#parts = parts;
  }

  snapshot(): Promise<FleetSnapshot> {
    const { system, actors } = this.#parts;
    return askSnapshot({ system, router: actors.router }, ASK_TIMEOUT_MS);
  }

  async greet(text: string): Promise<Greeting> {
    const { actors, connection, greetMs, system } = this.#parts;
    const { clock } = system;
    await actors.firstReady;
    const requester = createRequester(connection.nc, { fleet: this.fleet });
    try {
      const endMs = clock.monotonic() + greetMs;
      let failures = 0;
      for (;;) {
        const startMs = clock.monotonic();
        const deadlineMs = Math.min(GREET_TRY_MS, Math.ceil(endMs - startMs));
        try {
          const { payload, vm } = await requester.request(new TextEncoder().encode(text), { deadlineMs });
          return { text: shownReply(payload), refusal: '', vm, ms: clock.monotonic() - startMs };
        } catch (error) {
          const refused = refusalOf(error);
          if (refused !== undefined) return { ...refused, ms: clock.monotonic() - startMs };
          if (codeOf(error) !== 'REQUEST_DEADLINE') {
            failures += 1;
            if (failures > GREET_FAILURES_MAX || !OF_ANY_HOST.has(codeOf(error))) throw error;
            await new Promise<void>((resolve) => clock.timer(GREET_PAUSE_MS, resolve));
            continue;
          }
          // It may have come to a host that stands still.
          const isLast = clock.monotonic() + GREET_TRY_MS > endMs;
          if (isLast) return { text: undefined, refusal: messageOf(error), vm: undefined, ms: greetMs };
        }
      }
    } finally {
      requester.close();
    }
  }

  async deploy(image: string): Promise<OwnDeploy> {
    const { actors, profileSet } = this.#parts;
    return actors.deploy(await loadImage(image, { set: profileSet }));
  }

  stop(): Promise<void> {
    return this.#parts.cleanUp.run();
  }

  async left(): Promise<number> {
    return countVms(this.#parts.tag);
  }

  keepVms(): void {
    this.#parts.actors.keepVms();
  }

  hurry(): void {
    this.#parts.actors.hurry();
  }
}
