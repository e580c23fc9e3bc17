import type { Control } from '../fleet/mod.ts';
import type { DiskBehaviour } from './disk.ts';
import type { Duration } from './duration.ts';
import type { GuestBehaviour } from './guest.ts';
import type { HostBehaviour } from './hypervisor.ts';
import type { Shape } from './load.ts';
import type { NetworkFaults } from './nats-server.ts';
import type { TraceRow } from './trace.ts';

/** How often what goes wrong does so, in events a simulated minute, for the whole world. */
export interface FaultRates {
  /** A QEMU is killed. */
  readonly vmCrash: number;
  /** A guest computes for ever. */
  readonly vmHang: number;
  /** The connection between Shoal and a guest is cut. */
  readonly linkCut: number;
  /** What a guest prints is lost for some seconds; it works on. */
  readonly consoleCut: number;
  /** Shoal is killed and started again some moments later. */
  readonly shoalCrash: number;
  /** Shoal stands still for up to some seconds (SIGSTOP, a suspended laptop). */
  readonly shoalPause: number;
  /** The router fails and is restarted by its supervisor. */
  readonly routerCrash: number;
  /** Shoal loses its way to the NATS server for some seconds. */
  readonly partition: number;
  /** The controller fails, and is restarted by its supervisor, with the router. */
  readonly controllerCrash: number;
  /** The actor of a VM fails, and its supervisor starts another. */
  readonly vmActorCrash: number;
  /** A worker thread ends, and the actors of half of the VMs with it. */
  readonly shardCrash: number;
  /** The process that starts QEMUs is killed. */
  readonly launcherCrash: number;
  /** The host's wall clock is set. */
  readonly clockStep: number;
  /** The disk takes no writes for some seconds. */
  readonly diskFull: number;
  /** Boots take ten times as long for some seconds. */
  readonly slowBoots: number;
  /** No guest becomes ready for some seconds. */
  readonly brokenImage: number;
  /** An administrator drains a VM, has VMs restarted, or scales. */
  readonly command: number;
  /** A parameter is changed. */
  readonly parameterChange: number;
  /** An administrator deploys an image, which may be bad in one of several ways, or rolls back. */
  readonly deploy: number;
  /** A host loses its power: its Shoal and all its VMs end, and it is back some seconds later. */
  readonly hostCrash: number;
  /** A host leaves the fleet in good order, with its VMs or without, and is back some seconds later. */
  readonly hostLeave: number;
  /** For some seconds nothing that a host sends arrives, though its connection to NATS is up. */
  readonly hostMute: number;
  /** For some seconds nothing arrives at a host, though its connection to NATS is up. */
  readonly hostDeaf: number;
  /** For some seconds a host's way to NATS is gone, and what it and the server send waits in the buffers of TCP. */
  readonly hostStall: number;
  /** For some seconds the servers of NATS are apart, and so are the hosts and clients that are connected to them. */
  readonly split: number;
}

/** Faults of one Shoal and its machine. */
export const SHOAL_FAULT_NAMES = [
  'vmCrash',
  'vmHang',
  'linkCut',
  'consoleCut',
  'shoalCrash',
  'routerCrash',
  'controllerCrash',
  'vmActorCrash',
  'shardCrash',
  'launcherCrash',
  'shoalPause',
  'partition',
  'clockStep',
  'diskFull',
  'slowBoots',
  'brokenImage',
  'parameterChange',
  'command',
] as const satisfies readonly (keyof FaultRates)[];

/** Faults of whole hosts, and of the network between them. */
export const HOST_FAULT_NAMES = [
  'hostCrash',
  'hostLeave',
  'hostMute',
  'hostDeaf',
  'hostStall',
  'split',
] as const satisfies readonly (keyof FaultRates)[];

export const FAULT_NAMES = [...SHOAL_FAULT_NAMES, ...HOST_FAULT_NAMES, 'deploy'] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

export const NO_FAULTS: FaultRates = {
  vmCrash: 0,
  vmHang: 0,
  linkCut: 0,
  consoleCut: 0,
  shoalCrash: 0,
  routerCrash: 0,
  controllerCrash: 0,
  vmActorCrash: 0,
  shardCrash: 0,
  launcherCrash: 0,
  shoalPause: 0,
  partition: 0,
  clockStep: 0,
  diskFull: 0,
  slowBoots: 0,
  brokenImage: 0,
  parameterChange: 0,
  command: 0,
  deploy: 0,
  hostCrash: 0,
  hostLeave: 0,
  hostMute: 0,
  hostDeaf: 0,
  hostStall: 0,
  split: 0,
};

/** The signs of life that hosts give each other. */
export interface Beats {
  readonly beatMs: number;
  /** Silence after which a host counts as lost. */
  readonly lostMs: number;
}

/** All that a run depends on. The same scenario gives the same history. */
export interface Scenario {
  readonly seed: number;
  /** Of load and faults; liveness is checked in the time after. */
  readonly durationMs: number;
  readonly load: Shape | { readonly kind: 'trace'; readonly rows: readonly TraceRow[]; readonly scale: number };
  /** Each is a whole Shoal, with machines, addresses and tables of its own. */
  readonly hosts: number;
  readonly beats: Beats;
  /** Of each host. */
  readonly addresses: number;
  /** Of each host. */
  readonly memoryBytes: number;
  /** By the names of `system_params`. */
  readonly params: Readonly<Record<string, number>>;
  readonly deadlineMs: number;
  readonly clients: number;
  /** Of the requests, those that are sent once more with the same id, some moments later. */
  readonly repeats: number;
  /** Of the requests, those that come with the id of an earlier one and a text of their own. */
  readonly reusedIds: number;
  /** Of the requests, those that end each VM that works on them. */
  readonly deadlyRequests: number;
  readonly guest: GuestBehaviour;
  /** Milliseconds for a unit of work of the trace; undefined: `guest.service` decides. */
  readonly msPerUnit?: number;
  readonly host: HostBehaviour;
  readonly disk: DiskBehaviour;
  readonly natsLatency: Duration;
  readonly network: NetworkFaults;
  readonly faults: FaultRates;
  /** R10; default `direct`. */
  readonly control?: Control;
}
