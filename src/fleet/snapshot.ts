import { formatAddress } from './address.ts';
import type { Fleet } from './fleet.ts';
import type { RequestFigures } from './request-counts.ts';
import type { VmId, VmState } from './vm.ts';
import type { Vm } from './vm-record.ts';

/** One VM as `shoal ps` shows it. Field names are those of the table where it has them. */
export interface VmRow {
  readonly id_vmachine: VmId;
  readonly id_ip: number;
  readonly host: string;
  readonly address: string;
  readonly state: VmState;
  /** % of the virtual CPU; null before the first report. */
  readonly cpu: number | null;
  /** Bytes. */
  readonly ram: number | null;
  readonly free_count: number;
  readonly in_flight: number;
  readonly served: number;
  /** Milliseconds since it was asked to start; null if the clock that noted the start was wrong. */
  readonly uptime_ms: number | null;
}

/** A host as `shoal ps -o json` and the console show it. */
export interface HostState {
  readonly host: string;
  /** False while it is out of reach. */
  readonly up: boolean;
}

/** What `shoal ps -o json` prints. */
export interface FleetSnapshot {
  readonly vms: readonly VmRow[];
  readonly hosts: readonly HostState[];
  /** Requests that wait in the router. */
  readonly waiting: number;
  /** Why they wait and no VM can be started for them; null if one can, or none waits. */
  readonly blocked: string | null;
  readonly addresses: number;
  readonly addresses_free: number;
  /** Counted since the server started; two looks make a rate. */
  readonly requests: RequestFigures;
  /** Milliseconds since the server started. */
  readonly uptime_ms: number;
}

/** What the server knows beside its fleet. */
export interface ServerFigures {
  readonly requests: RequestFigures;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly nowMs: number;
}

export function snapshot(fleet: Fleet, { requests, startedMs, nowMs }: ServerFigures): FleetSnapshot {
  return {
    vms: [...fleet.vms].map((vm) => rowOf(vm, nowMs)),
    hosts: [...fleet.hosts].map(({ name, downMs }) => ({ host: name, up: downMs === undefined })),
    waiting: fleet.waiting,
    blocked: null,
    addresses: fleet.pool.length,
    addresses_free: fleet.pool.filter((entry) => entry.vm === undefined).length,
    requests,
    uptime_ms: Math.round(nowMs - startedMs),
  };
}

function rowOf(vm: Vm, nowMs: number): VmRow {
  return {
    id_vmachine: vm.id,
    id_ip: vm.address.id,
    host: vm.host,
    address: formatAddress(vm.address),
    state: vm.state,
    cpu: vm.report?.cpuPercent ?? null,
    ram: vm.report?.ramBytes ?? null,
    free_count: vm.freeCount,
    in_flight: vm.inFlight,
    served: vm.report?.served ?? 0,
    uptime_ms: plausibleUptimeMs(nowMs - vm.startedMs),
  };
}

/** Machines without a battery start in 1970, or with the year of their firmware, until they have asked a time server. */
const UPTIME_YEARS_MAX = 10;
const YEAR_MS = 365.25 * 86_400_000;

function plausibleUptimeMs(ms: number): number | null {
  return ms <= UPTIME_YEARS_MAX * YEAR_MS ? Math.round(ms) : null;
}
