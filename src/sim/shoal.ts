import { type ActorSystem, createSystem, type Logger } from '../actors/mod.ts';
import {
  CleanUp,
  type Core,
  DeferredRef,
  EventLog,
  type FleetOptions,
  reconcile,
  Settings,
  startCore,
  startFront,
} from '../app/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { Address, FleetEvent } from '../fleet/mod.ts';
import { MEMORY_MIB, STOP_LIMITS, type VmParameters } from '../hypervisor/mod.ts';
import { paramsOf, type Store, TableStore } from '../store/mod.ts';
import type { EndpointMessage } from '../transport/mod.ts';
import type { SimulatedDisk } from './disk.ts';
import { type HostBehaviour, simulatedHypervisor } from './hypervisor.ts';
import type { MachineRoom } from './machine-room.ts';
import { connectionOf, SimulatedConnection } from './nats-connection.ts';
import type { SimulatedNats } from './nats-server.ts';
import type { SimulatedProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ShoalLifeOptions {
  readonly time: VirtualTime;
  readonly host: string;
  readonly fleet: string;
  readonly process: SimulatedProcess;
  readonly room: MachineRoom;
  readonly disk: SimulatedDisk;
  readonly nats: SimulatedNats;
  readonly pool: readonly Address[];
  readonly params: Readonly<Record<string, number>>;
  readonly behaviour: () => HostBehaviour;
  readonly onEvent: (event: FleetEvent) => void;
  /** An actor has failed. */
  readonly onFailure: (path: string, error: ErrorEnvelope) => void;
  /** A message was not delivered. */
  readonly onDeadLetter: () => void;
}

/** The largest text, as in production. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** Survives a restart of Shoal, as the file in the data directory does. */
const TOKEN_KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const DIGEST = '0'.repeat(64);

/** One life of Shoal on one host: the production actors, wired as `shoal up` wires them, over simulated ports. */
export class ShoalLife {
  readonly process: SimulatedProcess;
  readonly system: ActorSystem;
  readonly core: Core;
  readonly store: Store;
  readonly settings: Settings;

  private constructor(process: SimulatedProcess, system: ActorSystem, core: Core, store: Store, settings: Settings) {
    this.process = process;
    this.system = system;
    this.core = core;
    this.store = store;
    this.settings = settings;
  }

  /** Adopts what runs on the host, as each start does. It never settles if the process is killed meanwhile. */
  static async start(options: ShoalLifeOptions): Promise<ShoalLife> {
    const { time, host, fleet, process, room, disk, nats, pool, params, behaviour, onEvent, onFailure, onDeadLetter } =
      options;
    const { clock, scheduler, chance } = process;
    const cleanUp = new CleanUp();
    const system = createSystem({ clock, scheduler, logger: loggerOf(onDeadLetter), onFailure });
    cleanUp.add(() => system.shutdown());
    const backing = { save: (document: SimulatedDisk['document']) => disk.save(document, process) };
    const store = await TableStore.open(disk.document, backing, { clock });
    cleanUp.add(() => store.close());
    await store.setParams(params);
    const hypervisor = simulatedHypervisor({ time, chance, process, room, behaviour });
    await reconcile(store, await hypervisor.list(), { host, pool }, clock);
    const { statusIntervalMs, bootTimeoutMs } = paramsOf(store.snapshot());
    const parameters: VmParameters = {
      image: 'simulated',
      imageDigest: DIGEST,
      accelerator: 'kvm',
      memoryMib: MEMORY_MIB,
      statusIntervalMs,
      bootTimeoutMs,
      textBytesMax: TEXT_BYTES_MAX,
      stopLimits: STOP_LIMITS,
    };
    const eventLog = new EventLog(clock);
    eventLog.listen(onEvent);
    const endpoint = new DeferredRef<EndpointMessage>('/front/endpoint');
    const core = await startCore(
      {
        options: optionsOf(options),
        system,
        hypervisor,
        home: undefined,
        parameters,
        store,
        eventLog,
        logFolder: undefined,
        tokenKey: TOKEN_KEY,
        random: chance.fraction,
        endpoint,
      },
      cleanUp,
    );
    const connection = connectionOf(new SimulatedConnection(nats, process));
    cleanUp.add(() => connection.close());
    await startFront(
      {
        system,
        connection,
        fleet,
        router: core.router,
        tokenKey: TOKEN_KEY,
        deadlineMs: () => paramsOf(store.snapshot()).deadlineMs,
        handlers: {},
        onEndpoint: (ref) => endpoint.bind(ref),
        randomBytes: (count) => chance.bytes(count),
      },
      cleanUp,
    );
    const settings = new Settings(store, core.router, core.controller, endpoint);
    return new ShoalLife(process, system, core, store, settings);
  }
}

function loggerOf(onDeadLetter: () => void): Logger {
  // Failures go to `onFailure`.
  return { warn: onDeadLetter, error: () => undefined };
}

function optionsOf({ host, fleet, pool, onEvent }: ShoalLifeOptions): FleetOptions {
  return {
    host,
    fleet,
    pool,
    onEvent,
    dataDir: 'simulated',
    params: {},
    routing: 'pack',
    image: 'simulated',
    shards: 0,
    accelerator: 'kvm',
    fresh: false,
    rebuild: false,
    onProgress: () => undefined,
  };
}
