import { LinkedList, type ListNode } from '../../actors/mod.ts';
import type { Address } from '../values/address.ts';
import type { VmEndReason } from '../values/end-reason.ts';
import type { GuestReady, GuestReport } from '../values/guest.ts';
import type { Params } from '../values/params.ts';
import type { Rule } from '../values/rule.ts';
import type { VmId, VmState } from '../values/vm-id.ts';
import { memoryMibOf, type VmMemory } from '../values/vm-memory.ts';
import type { OpenRequest } from './open-request.ts';

/** A state of a VM in the fleet. One that is gone has left it, and `unknown` is a matter of the host. */
export type LiveState = Exclude<VmState, 'gone' | 'unknown'>;

/** What a VM is from its reservation or its adoption on. */
export interface NewVm {
  readonly vm: VmId;
  readonly address: Address;
  readonly spare: boolean;
  /** Of a spare that is prepared: how far it was found. */
  readonly hasBooted?: true;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** Default `preparing`; an adopted VM is further. */
  readonly state?: LiveState;
  /** Monotonic milliseconds; default `nowMs`. */
  readonly startedMs?: number;
  /** Default: that of the parameters. */
  readonly statusIntervalMs?: number;
  readonly replaces?: VmId;
  /** The rule that wants it; none for one that was found. */
  readonly rule?: Rule | undefined;
  /** SHA-256 of the image that it is made from, if that was said. */
  readonly imageDigest?: string;
  /** It was found on an address that another VM holds: it shares the address until it is gone. */
  readonly isIntruder?: true;
  /** What an earlier Shoal left running. */
  readonly adopted?: {
    readonly pid: number;
    readonly imageDigest: string | undefined;
    readonly memory?: VmMemory | undefined;
  };
}

/** Of all VMs without any: nothing is ever put there. */
const NONE = new LinkedList<OpenRequest>();

/**
 * The record of one VM. Times are milliseconds of the rule clock, unless the field says that they are monotonic.
 * Transitions change it, the policy reads it as `Vm`.
 */
export class VmRecord {
  readonly id: VmId;
  /** How often it was told to report: parameters change, a running guest does not. */
  readonly statusIntervalMs: number;
  // These are what a report and a request read. They stand side by side because that much fits into few lines of a CPU's cache.
  state: LiveState;
  linked = false;
  /** Its link has refused a message because its mailbox is full: it gets no requests for a moment. */
  congested = false;
  /** Kept prepared, or being prepared, until R3 wants it. */
  spare: boolean;
  /** How far a prepared spare is: it was told to boot, or has booted and stands still. */
  booted: 'no' | 'asked' | 'yes' = 'no';
  /** It is to be replaced by a new one: an administrator asked for it. */
  replace = false;
  /** R2 drains it because it fails. */
  ejected = false;
  dispatchedSinceReport = false;
  /** Link errors, 502 and 504 in a row (R2). */
  faults = 0;
  /** `free_count` of its row: idle reports in a row. */
  freeCount = 0;
  /** Undefined while it has none, as most have at most times. */
  #requests: LinkedList<OpenRequest> | undefined;
  // The figures of the last status line, which `report` gives as one.
  /** Undefined before the first. */
  seq: number | undefined;
  cpuPercent = 0;
  ramBytes = 0;
  guestInFlight = 0;
  served = 0;
  /** When it was last heard of, after the first status line. */
  heardMs: number | undefined;
  /** When it was asked over its link whether it lives; undefined once it was heard of after that. */
  askedMs: number | undefined;
  /** Since when the link of a VM that was ready is down. */
  linkDownMs: number | undefined;
  /** When a report last counted towards `freeCount`; undefined before the first. */
  countedMs: number | undefined;
  /** Since when nothing is in flight. */
  idleMs: number;
  /** The index's own: the number that the VM has there, and a bit for each group that it is in. */
  slot = -1;
  /** Requests that it takes at once, as the index counts them. */
  freeSlots = 0;
  groups = 0;
  readonly address: Address;
  /** Found running, so that its boot was some other time's. */
  readonly isAdopted: boolean;
  /** The host has said that it has the VM. */
  isOnHost: boolean;
  /** The reservation is durable. */
  reserved = false;
  /** The tables give its address to another VM. */
  refused = false;
  pid: number | undefined;
  imageDigest: string | undefined;
  /** Undefined until the host has told. */
  memory: VmMemory | undefined;
  /** Monotonic. */
  startedMs: number;
  /** Since when it counts as being prepared or started. */
  leaseMs: number;
  /** When its CPU was let run; undefined before. */
  bootMs: number | undefined;
  /** Undefined until its ready line was read. */
  guest: GuestReady | undefined;
  readyMs: number | undefined;
  /** The rule that wants it to run. */
  rule: Rule | undefined;
  /** It is not asked to relay a command before (R10); undefined: it may be asked. */
  relayFromMs: number | undefined;
  /** The VM that this one was started to replace. */
  replaces: VmId | undefined;
  /** Why it is draining or stopping. */
  why: string | undefined;
  reason: VmEndReason | undefined;
  /** When it was last told to stop; monotonic. Undefined: it was not. */
  stopSentMs: number | undefined;

  constructor(vm: NewVm, params: Params, ruleMs: number) {
    this.id = vm.vm;
    this.address = vm.address;
    this.statusIntervalMs = vm.statusIntervalMs ?? params.statusIntervalMs;
    this.isAdopted = vm.adopted !== undefined;
    this.state = vm.state ?? 'preparing';
    this.spare = vm.spare;
    if (vm.hasBooted === true) this.booted = 'yes';
    this.isOnHost = this.state !== 'preparing';
    this.pid = vm.adopted?.pid;
    this.imageDigest = vm.adopted === undefined ? vm.imageDigest : vm.adopted.imageDigest;
    this.memory = vm.adopted?.memory;
    this.startedMs = vm.startedMs ?? vm.nowMs;
    this.leaseMs = ruleMs;
    // An adopted VM is given as much time as if it had just been started.
    this.bootMs = this.state === 'booting' ? ruleMs : undefined;
    this.idleMs = ruleMs;
    this.replaces = vm.replaces;
    this.rule = vm.rule;
    if (this.state === 'stopping') this.stopSentMs = vm.nowMs;
  }

  /** The last status line; undefined before the first, and there is then no row in `vmachine` (R7). */
  get report(): GuestReport | undefined {
    const { seq, cpuPercent, ramBytes, guestInFlight, served } = this;
    return seq === undefined ? undefined : { seq, cpuPercent, ramBytes, inFlight: guestInFlight, served };
  }

  /** Copies the figures: to keep a line of each VM would leave the garbage collector as many objects as there are reports. */
  set report({ seq, cpuPercent, ramBytes, inFlight, served }: GuestReport) {
    this.seq = seq;
    this.cpuPercent = cpuPercent;
    this.ramBytes = ramBytes;
    this.guestInFlight = inFlight;
    this.served = served;
  }

  /** Requests dispatched and not ended, first dispatched first. */
  get requests(): Readonly<LinkedList<OpenRequest>> {
    return this.#requests ?? NONE;
  }

  /** How many those are, by the router's own count. */
  get inFlight(): number {
    return this.#requests?.length ?? 0;
  }

  /** A request is dispatched to it. */
  take(request: OpenRequest): ListNode<OpenRequest> {
    this.#requests ??= new LinkedList();
    return this.#requests.push(request);
  }

  /** A request has left it. */
  left(): void {
    if (this.#requests?.length === 0) this.#requests = undefined;
  }
}

/** Whether the VM may be asked to relay a command (R10). */
export function mayRelay({ relayFromMs }: Vm, ruleMs: number): boolean {
  return relayFromMs === undefined || ruleMs >= relayFromMs;
}

/** A VM as the policy reads it. */
export type Vm = Readonly<VmRecord>;

/** R2: ready, not draining, and fewer in flight than it works on at a time. */
export function isFree(vm: Vm, params: Params): boolean {
  return isServing(vm) && vm.inFlight < params.vmRequestsMax && !vm.congested;
}

/** R4: its queue takes one more. */
export function hasRoom(vm: Vm, params: Params): boolean {
  return isServing(vm) && vm.inFlight < params.vmRequestsMax + params.vmBacklogMax && !vm.congested;
}

/** Whether a VM that is started now would get other memory. */
export function hasOtherMemory({ memory }: Vm, params: Params): boolean {
  return memory !== undefined && memory.mib !== memoryMibOf(params, memory);
}

/** Ready and in reach of requests. */
export function isServing(vm: Vm): boolean {
  return vm.state === 'ready' && vm.linked;
}

/** On its way to take requests. A spare is no capacity to come until it is wanted. */
export function isStarting(vm: Vm): boolean {
  return !vm.spare && (vm.state === 'preparing' || vm.state === 'prepared' || vm.state === 'booting');
}

/** A spare that may still be had instead of a new VM. */
export function isSpare(vm: Vm): boolean {
  return vm.spare && (vm.state === 'preparing' || vm.state === 'prepared');
}
