import { formatAddress } from '../values/address.ts';
import type { DeployState } from '../values/deploy.ts';
import type { VmEndReason } from '../values/end-reason.ts';
import type { HostFigures } from '../values/neighbour.ts';
import type { VmId, VmState } from '../values/vm-id.ts';
import type { Fleet } from './fleet.ts';
import type { Neighbour } from './neighbour.ts';
import type { RequestFigures } from './request-counts.ts';
import type { Vm } from './vm.ts';

/** One VM as `shoal ps` shows it. Field names are those of the table where it has them. */
export interface VmRow {
  readonly id_vmachine: VmId;
  readonly id_ip: number;
  readonly host: string;
  readonly address: string;
  readonly state: VmState;
  /** Why it drains or stops; null before. */
  readonly reason: VmEndReason | null;
  /** % of the virtual CPU; null before the first report. */
  readonly cpu: number | null;
  /** Bytes. */
  readonly ram: number | null;
  /** MiB that it was started with; null until its host has told. */
  readonly memory_mib: number | null;
  readonly free_count: number;
  readonly in_flight: number;
  readonly served: number;
  /** SHA-256 of the image that it runs; null if it is not known. */
  readonly image_digest: string | null;
  /** Milliseconds since it was asked to start; null if the clock that noted the start was wrong. */
  readonly uptime_ms: number | null;
}

/** A host as `shoal ps -o json` and the console show it. */
export interface HostState {
  readonly host: string;
  /** False while it is out of reach. */
  readonly up: boolean;
}

/** Another host, as far as this one knows it. */
export interface NeighbourRow extends Omit<HostFigures, 'idempotent'> {
  readonly name: string;
  /** Of its router: another after a restart. */
  readonly incarnation: string;
  /** How long ago it told of itself. */
  readonly heardMs: number;
  /** Requests that were handed to it, and that it refused. */
  readonly handedOn: number;
  readonly handedBack: number;
  /** Requests of this host that it has now. */
  readonly inHand: number;
}

/** A deploy that runs, with what its VMs have answered. */
export interface DeployRow extends DeployState {
  readonly new_answers: number;
  readonly new_errors: number;
  readonly old_answers: number;
  readonly old_errors: number;
}

/** What `shoal ps -o json` prints. */
export interface FleetSnapshot {
  /** In the order of their ids, whatever order they were started or adopted in. */
  readonly vms: readonly VmRow[];
  readonly hosts: readonly HostState[];
  /** The other hosts of the fleet that are in reach. */
  readonly neighbours: readonly NeighbourRow[];
  /** This host hands on all it can, and takes nothing from others. */
  readonly cordoned: boolean;
  /** Requests that wait in the router. */
  readonly waiting: number;
  readonly addresses: number;
  readonly addresses_free: number;
  /** Why no VM can be started although one is wanted; null while one can be, or none is. */
  readonly blocked: string | null;
  /** The deploy that runs; null if none does. */
  readonly deploy: DeployRow | null;
  /** Counted since the server started; two looks make a rate. */
  readonly requests: RequestFigures;
  /** Milliseconds since the server started. */
  readonly uptime_ms: number;
}

/** @param blocked why no VM can be started, if one is wanted @param nowMs monotonic milliseconds */
export function snapshot(fleet: Fleet, blocked: string | undefined, nowMs: number): FleetSnapshot {
  const { name, reach } = fleet.host;
  const isAway = reach === 'away';
  return {
    vms: [...fleet.vms].sort((a, b) => a.id - b.id).map((vm) => rowOf(vm, name, isAway, nowMs)),
    hosts: reach === 'unseen' ? [] : [{ host: name, up: !isAway }],
    neighbours: [...fleet.neighbours.all].map((one) => neighbourRow(one, nowMs)),
    cordoned: fleet.isCordoned,
    waiting: fleet.requests.waiting,
    addresses: fleet.pool.length,
    addresses_free: fleet.pool.filter((entry) => entry.vm === undefined).length,
    blocked: blocked ?? null,
    deploy: deployRow(fleet),
    requests: fleet.requests.counts.figures(),
    uptime_ms: Math.round(nowMs - fleet.startedMs),
  };
}

function deployRow({ deploy }: Fleet): DeployRow | null {
  if (deploy === undefined) return null;
  const { state, ofNew, ofOld } = deploy;
  return {
    ...state,
    new_answers: ofNew.answers,
    new_errors: ofNew.errors,
    old_answers: ofOld.answers,
    old_errors: ofOld.errors,
  };
}

function neighbourRow(
  { name, session, figures, heardMs, handedOn, handedBack, requests }: Neighbour,
  nowMs: number,
): NeighbourRow {
  const { free, room, starting, shortestQueue, waiting, cordoned } = figures;
  return {
    name,
    incarnation: session,
    ...{ free, room, starting, shortestQueue, waiting, cordoned },
    heardMs: Math.round(nowMs - heardMs),
    handedOn,
    handedBack,
    inHand: requests.length,
  };
}

function rowOf(vm: Vm, host: string, isAway: boolean, nowMs: number): VmRow {
  return {
    id_vmachine: vm.id,
    id_ip: vm.address.id,
    host,
    address: formatAddress(vm.address),
    state: isAway ? 'unknown' : vm.state,
    reason: vm.reason ?? null,
    cpu: vm.report?.cpuPercent ?? null,
    ram: vm.report?.ramBytes ?? null,
    memory_mib: vm.memory?.mib ?? null,
    free_count: vm.freeCount,
    in_flight: vm.inFlight,
    served: vm.report?.served ?? 0,
    image_digest: vm.imageDigest ?? null,
    uptime_ms: plausibleUptimeMs(nowMs - vm.startedMs),
  };
}

/** Machines without a battery start in 1970, or with the year of their firmware, until they have asked a time server. */
const UPTIME_YEARS_MAX = 10;
const YEAR_MS = 365.25 * 86_400_000;

function plausibleUptimeMs(ms: number): number | null {
  return ms <= UPTIME_YEARS_MAX * YEAR_MS ? Math.round(ms) : null;
}
