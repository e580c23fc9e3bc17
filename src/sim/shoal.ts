import { type ActorSystem, createSystem, type Logger } from '../actors/mod.ts';
import {
  CleanUp,
  type Core,
  Deploys,
  EventLog,
  type FleetOptions,
  memoryMibFor,
  reconcile,
  type Settings,
  startFleetParts,
  vmParametersOf,
} from '../app/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { Address, Control, FleetEvent, RequestRecord } from '../fleet/mod.ts';
import { BUILT_IN_PROFILE } from '../hypervisor/mod.ts';
import type { Hosts } from '../remote/mod.ts';
import { paramsOf, type Store, TableStore } from '../store/mod.ts';
import type { SimulatedDisk } from './disk.ts';
import { type HostBehaviour, type SimulatedHypervisor, simulatedHypervisor } from './hypervisor.ts';
import { checkImage, FIRST_IMAGE, IMAGE_PATH } from './images.ts';
import type { MachineRoom } from './machine-room.ts';
import { connectionOf, SimulatedConnection } from './nats-connection.ts';
import type { SimulatedNats } from './nats-server.ts';
import type { SimulatedProcess } from './process.ts';
import type { Beats } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';
import { SimulatedVmHome } from './vm-home.ts';

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
  readonly beats: Beats;
  /** R10. */
  readonly control: Control;
  /** Survives a restart of Shoal, as the file in the data directory does. */
  readonly tokenKey: Uint8Array;
  readonly behaviour: () => HostBehaviour;
  /** VM actors live on shards that can be lost, and not on the main thread. */
  readonly hasShards: boolean;
  readonly onEvent: (event: FleetEvent) => void;
  /** The router has recorded a step of a request. */
  readonly onStep: (step: RequestRecord) => void;
  /** An actor has failed. */
  readonly onFailure: (path: string, error: ErrorEnvelope) => void;
  /** A message was not delivered. */
  readonly onDeadLetter: () => void;
}

/** One life of Shoal on one host: the production actors, wired as `shoal up` wires them, over simulated ports. */
export class ShoalLife {
  readonly process: SimulatedProcess;
  readonly system: ActorSystem;
  readonly core: Core;
  readonly store: Store;
  readonly settings: Settings;
  readonly hosts: Hosts;
  readonly deploys: Deploys;
  readonly hypervisor: SimulatedHypervisor;
  /** Undefined if VM actors live on the main thread. */
  readonly home: SimulatedVmHome | undefined;

  readonly #cleanUp: CleanUp;

  private constructor(parts: Omit<Pick<ShoalLife, keyof ShoalLife>, 'end'>, cleanUp: CleanUp) {
    this.process = parts.process;
    this.system = parts.system;
    this.core = parts.core;
    this.store = parts.store;
    this.settings = parts.settings;
    this.hosts = parts.hosts;
    this.deploys = parts.deploys;
    this.#cleanUp = cleanUp;
    this.hypervisor = parts.hypervisor;
    this.home = parts.home;
  }

  /** Adopts what runs on the host, as each start does. It never settles if the process is killed meanwhile. */
  static async start(options: ShoalLifeOptions): Promise<ShoalLife> {
    const { time, host, process, room, disk, nats, pool, params, behaviour, onEvent, onFailure, onDeadLetter } =
      options;
    const { clock, scheduler, chance } = process;
    const system = createSystem({ clock, scheduler, random: chance, logger: loggerOf(onDeadLetter), onFailure });
    const backing = { save: (document: SimulatedDisk['document']) => disk.save(document, process) };
    const store = await TableStore.open(disk.document, backing, { clock });
    await store.setParams(params);
    const hypervisor = simulatedHypervisor({ time, chance, process, room, behaviour });
    const home = options.hasShards ? new SimulatedVmHome(hypervisor, process) : undefined;
    await reconcile(store, await hypervisor.list(), { host, pool }, clock);
    const eventLog = new EventLog(clock);
    eventLog.listen(onEvent);
    eventLog.explanations.listen(options.onStep);
    const deploys = new Deploys({
      store: {
        get last() {
          return disk.image;
        },
        save: (document) => disk.saveImage(document, process),
      },
      clock,
      host,
      image: FIRST_IMAGE,
      kept: {
        parametersOf: () => ({}),
        profileOf: () => undefined,
        mostMemoryMib: () => memoryMibFor(paramsOf(store.snapshot()), BUILT_IN_PROFILE),
        slowestProfile: () => BUILT_IN_PROFILE,
        checkMemory: () => undefined,
      },
      check: (digest) => checkImage(digest, process),
      onEvent: (event) => eventLog.add(event),
    });
    // In the order of `startShoal`.
    const cleanUp = new CleanUp();
    cleanUp.add(() => system.shutdown());
    const connection = connectionOf(new SimulatedConnection(nats, process));
    cleanUp.add(() => connection.close());
    const { core, settings, hosts } = await startFleetParts(
      {
        options: optionsOf(options),
        system,
        hypervisor,
        home,
        parameters: vmParametersOf(store, {
          ...{ image: IMAGE_PATH, imageDigest: deploys.image, accelerator: 'kvm' },
          // Only what is said of bytes has a profile of its own: all others have the smaller spec.
          ...(room.behaviour.payload === 'bytes' ? { profile: { ...BUILT_IN_PROFILE, payload: 'bytes' } } : {}),
        }),
        deploys,
        store,
        eventLog,
        logFolder: undefined,
        tokenKey: options.tokenKey,
        beats: options.beats,
        connection,
        handlers: () => ({}),
      },
      cleanUp,
    );
    return new ShoalLife({ process, system, core, store, settings, hosts, deploys, hypervisor, home }, cleanUp);
  }

  /** Ends as `shoal down` ends a Shoal, or with its VMs running as `shoal down --keep-vms`. */
  end(keepVms: boolean): Promise<void> {
    if (keepVms) this.core.keepVms();
    return this.#cleanUp.run();
  }
}

function loggerOf(onDeadLetter: () => void): Logger {
  // Failures go to `onFailure`.
  return { warn: onDeadLetter, error: () => undefined };
}

function optionsOf({ host, fleet, pool, control, onEvent }: ShoalLifeOptions): FleetOptions {
  return {
    host,
    fleet,
    pool,
    onEvent,
    dataDir: 'simulated',
    params: {},
    routing: 'pack',
    control,
    image: IMAGE_PATH,
    shards: 0,
    accelerator: 'kvm',
    fresh: false,
    rebuild: false,
    onProgress: () => undefined,
  };
}
