import type { Address } from './address.ts';
import type { Params } from './params.ts';
import type { GuestReady, GuestReport, VmId, VmState } from './vm.ts';
import { VmBuckets } from './vm-buckets.ts';

/** What the server knows of one VM. */
export interface Vm {
  readonly id: VmId;
  readonly host: string;
  readonly address: Address;
  readonly state: VmState;
  /** Kept prepared, or being prepared, until R3 wants it. */
  readonly spare: boolean;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  /** Undefined until its ready line was read. */
  readonly guest: GuestReady | undefined;
  /** Whether the link is up. */
  readonly linked: boolean;
  /** Requests dispatched and not ended, by the router's own count. */
  readonly inFlight: number;
  readonly report: GuestReport | undefined;
  /** Monotonic milliseconds of the last status line; undefined until the first. */
  readonly heardMs: number | undefined;
  /** `free_count` of its row: idle reports in a row. */
  readonly freeCount: number;
  readonly dispatchedSinceReport: boolean;
  /** Why it is draining or stopping. */
  readonly why: string | undefined;
}

type MutableVm = { -readonly [key in keyof Vm]: Vm[key] };

/** One row of `ip_pool` and what stands beside it. */
export interface PoolEntry {
  readonly address: Address;
  /** `reserve`. */
  readonly reserved: boolean;
  /** The VM that holds it, from its reservation until its process is confirmed gone. */
  readonly vm: VmId | undefined;
  /** Monotonic milliseconds until which it is set aside because its bind failed. */
  readonly quarantinedUntilMs: number;
  /** Binds that failed in a row. */
  readonly bindFailures: number;
}

type MutablePoolEntry = { -readonly [key in keyof PoolEntry]: PoolEntry[key] };

export interface Host {
  readonly name: string;
  /** VMs that ended without having become useful, in a row. */
  readonly failures: number;
  /** Monotonic milliseconds before which nothing is started here. */
  readonly notBeforeMs: number;
}

/** All that changes a fleet. */
export type FleetEvent =
  | { readonly kind: 'host-up'; readonly host: string }
  | { readonly kind: 'params'; readonly params: Params }
  | { readonly kind: 'waiting'; readonly change: 1 | -1 }
  | {
      readonly kind: 'vm-reserved';
      readonly vm: VmId;
      readonly host: string;
      readonly address: Address;
      readonly spare: boolean;
      readonly nowMs: number;
    }
  /** R3 wants the spare now. */
  | { readonly kind: 'vm-wanted'; readonly vm: VmId; readonly nowMs: number }
  /** Our own process stood still: nobody's silence in that time counts. */
  | { readonly kind: 'paused'; readonly forMs: number }
  | { readonly kind: 'vm-state'; readonly vm: VmId; readonly state: VmState; readonly why?: string }
  | { readonly kind: 'vm-answering'; readonly vm: VmId; readonly guest: GuestReady }
  | { readonly kind: 'vm-linked'; readonly vm: VmId; readonly linked: boolean; readonly nowMs: number }
  | { readonly kind: 'vm-report'; readonly vm: VmId; readonly report: GuestReport; readonly nowMs: number }
  | { readonly kind: 'dispatched'; readonly vm: VmId }
  | { readonly kind: 'ended'; readonly vm: VmId }
  | {
      readonly kind: 'vm-gone';
      readonly vm: VmId;
      readonly bindFailed: boolean;
      readonly wanted: boolean;
      readonly nowMs: number;
    };

const BACK_OFF_FIRST_MS = 250;
const BACK_OFF_MAX_MS = 30_000;

/** VMs, addresses and hosts with the indexes that the policy asks for. Only `apply` changes it. */
export class Fleet {
  #params: Params;
  readonly #vms = new Map<VmId, MutableVm>();
  readonly #pool: MutablePoolEntry[];
  readonly #poolById: Map<number, MutablePoolEntry>;
  readonly #hosts = new Map<string, { -readonly [key in keyof Host]: Host[key] }>();
  readonly #free = new VmBuckets();
  #waiting = 0;
  #starting = 0;

  constructor(params: Params, addresses: readonly Address[]) {
    this.#params = params;
    this.#pool = addresses.map((address) => ({
      address,
      reserved: false,
      vm: undefined,
      quarantinedUntilMs: 0,
      bindFailures: 0,
    }));
    this.#poolById = new Map(this.#pool.map((entry) => [entry.address.id, entry]));
  }

  get params(): Params {
    return this.#params;
  }

  get vms(): Iterable<Vm> {
    return this.#vms.values();
  }

  get vmCount(): number {
    return this.#vms.size;
  }

  /** Lowest id first. */
  get pool(): readonly PoolEntry[] {
    return this.#pool;
  }

  get hosts(): Iterable<Host> {
    return this.#hosts.values();
  }

  /** Requests that wait in the router. */
  get waiting(): number {
    return this.#waiting;
  }

  /** VMs on their way to ready. */
  get starting(): number {
    return this.#starting;
  }

  vm(id: VmId): Vm | undefined {
    return this.#vms.get(id);
  }

  /** R2's choice. */
  fullestFree(): VmId | undefined {
    return this.#free.fullest();
  }

  /** @returns false if the event does not fit what is known (a late or repeated message): nothing changed */
  apply(event: FleetEvent): boolean {
    switch (event.kind) {
      case 'host-up':
        this.#hosts.set(event.host, { name: event.host, failures: 0, notBeforeMs: 0 });
        return true;
      case 'params':
        this.#params = event.params;
        this.#reindex();
        return true;
      case 'waiting':
        this.#waiting += event.change;
        return true;
      case 'paused':
        for (const vm of this.#vms.values()) if (vm.heardMs !== undefined) vm.heardMs += event.forMs;
        return true;
      case 'vm-reserved':
        return this.#reserve(event);
      case 'vm-gone':
        return this.#gone(event);
      default:
        return this.#applyToVm(event);
    }
  }

  #applyToVm(event: VmEvent): boolean {
    const vm = this.#vms.get(event.vm);
    if (vm === undefined) return false;
    this.#unindex(vm);
    const changed = change(vm, event, this.#params);
    this.#index(vm);
    if (event.kind === 'vm-linked' && event.linked && vm.state === 'ready') this.#proven(vm.host);
    return changed;
  }

  #reserve(event: Extract<FleetEvent, { kind: 'vm-reserved' }>): boolean {
    const entry = this.#poolById.get(event.address.id);
    if (this.#vms.has(event.vm) || entry?.vm !== undefined) return false;
    if (entry !== undefined) {
      entry.reserved = true;
      entry.vm = event.vm;
    }
    const vm: MutableVm = {
      id: event.vm,
      host: event.host,
      address: event.address,
      state: 'preparing',
      spare: event.spare,
      startedMs: event.nowMs,
      guest: undefined,
      linked: false,
      inFlight: 0,
      report: undefined,
      heardMs: undefined,
      freeCount: 0,
      dispatchedSinceReport: false,
      why: undefined,
    };
    this.#vms.set(vm.id, vm);
    this.#index(vm);
    return true;
  }

  #gone(event: Extract<FleetEvent, { kind: 'vm-gone' }>): boolean {
    const vm = this.#vms.get(event.vm);
    if (vm === undefined) return false;
    this.#unindex(vm);
    this.#vms.delete(vm.id);
    this.#release(vm, event);
    const host = this.#hosts.get(vm.host);
    if (host !== undefined && !event.wanted) {
      host.failures += 1;
      host.notBeforeMs = event.nowMs + backOffMs(host.failures, BACK_OFF_FIRST_MS);
    }
    return true;
  }

  #release(vm: Vm, event: Extract<FleetEvent, { kind: 'vm-gone' }>): void {
    const entry = this.#poolById.get(vm.address.id);
    if (entry?.vm !== vm.id) return;
    entry.reserved = false;
    entry.vm = undefined;
    entry.bindFailures = event.bindFailed ? entry.bindFailures + 1 : 0;
    if (event.bindFailed) entry.quarantinedUntilMs = event.nowMs + backOffMs(entry.bindFailures + 1, BACK_OFF_FIRST_MS);
  }

  /** A VM that answers proves the image and the host: the next crash is the first again. */
  #proven(host: string): void {
    const known = this.#hosts.get(host);
    if (known === undefined) return;
    known.failures = 0;
    known.notBeforeMs = 0;
  }

  #reindex(): void {
    this.#free.clear();
    this.#starting = 0;
    for (const vm of this.#vms.values()) this.#index(vm);
  }

  #index(vm: Vm): void {
    if (isFree(vm, this.#params)) this.#free.add(vm.id, vm.inFlight);
    if (isStarting(vm)) this.#starting += 1;
  }

  #unindex(vm: Vm): void {
    if (isFree(vm, this.#params)) this.#free.remove(vm.id, vm.inFlight);
    if (isStarting(vm)) this.#starting -= 1;
  }
}

/** R2: ready, not draining, and fewer in flight than it works on at a time. */
function isFree(vm: Vm, params: Params): boolean {
  return vm.state === 'ready' && vm.linked && vm.inFlight < params.vmRequestsMax;
}

/** On its way to take requests. A spare is not capacity to come until it is wanted. */
export function isStarting(vm: Vm): boolean {
  return !vm.spare && (vm.state === 'preparing' || vm.state === 'prepared' || vm.state === 'booting');
}

/** The first failure costs nothing: one crash is an accident, and its VM is replaced at once. */
export function backOffMs(failures: number, firstMs: number): number {
  return failures <= 1 ? 0 : Math.min(BACK_OFF_MAX_MS, firstMs * 2 ** (failures - 2));
}

type VmEvent = Exclude<Extract<FleetEvent, { vm: VmId }>, { kind: 'vm-reserved' | 'vm-gone' }>;

function change(vm: MutableVm, event: VmEvent, params: Params): boolean {
  switch (event.kind) {
    case 'vm-state':
      vm.state = event.state;
      if (event.why !== undefined) vm.why = event.why;
      return true;
    case 'vm-wanted':
      vm.spare = false;
      vm.startedMs = event.nowMs;
      return true;
    case 'vm-answering':
      vm.guest = event.guest;
      return true;
    case 'vm-linked':
      vm.linked = event.linked;
      if (event.linked && vm.state === 'booting') vm.state = 'ready';
      return true;
    case 'vm-report':
      return report(vm, event.report, event.nowMs, params);
    case 'dispatched':
      vm.inFlight += 1;
      vm.dispatchedSinceReport = true;
      return true;
    case 'ended':
      if (vm.inFlight === 0) return false;
      vm.inFlight -= 1;
      return true;
  }
}

/**
 * R5 counts as the reports come, not when somebody looks. A repeated or older report changes nothing, and one from before
 * ready says nothing about load.
 */
function report(vm: MutableVm, line: GuestReport, nowMs: number, params: Params): boolean {
  if (vm.report !== undefined && line.seq <= vm.report.seq) return false;
  vm.report = line;
  vm.heardMs = nowMs;
  if (vm.state !== 'ready') return true;
  const idle = line.cpuPercent < params.idleCpuPercent && vm.inFlight === 0 && !vm.dispatchedSinceReport;
  vm.freeCount = idle ? vm.freeCount + 1 : 0;
  vm.dispatchedSinceReport = false;
  return true;
}
