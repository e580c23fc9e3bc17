import type { Address } from './address.ts';
import type { Mutable } from './mutable.ts';
import type { Params } from './params.ts';
import type { GuestReady, GuestReport, VmId, VmState } from './vm.ts';

/** What the server knows of one VM. Times are monotonic milliseconds; time in which our own process stood still is left out. */
export interface Vm {
  readonly id: VmId;
  readonly host: string;
  readonly address: Address;
  readonly state: VmState;
  /** Kept prepared, or being prepared, until R3 wants it. */
  readonly spare: boolean;
  /** Its host has said that it has it. */
  readonly confirmed: boolean;
  /** How often it was told to report: parameters change, a running guest does not. */
  readonly statusIntervalMs: number;
  readonly startedMs: number;
  /** Since when it counts as being prepared or started. */
  readonly leaseMs: number;
  /** When its CPU was let run; undefined before. */
  readonly bootMs: number | undefined;
  readonly readyMs: number | undefined;
  /** Undefined until its ready line was read. */
  readonly guest: GuestReady | undefined;
  readonly linked: boolean;
  /** Since when the link of a VM that was ready is down. */
  readonly linkDownMs: number | undefined;
  /** Requests dispatched and not ended, by the router's own count. */
  readonly inFlight: number;
  /** Since when nothing is in flight. */
  readonly idleMs: number;
  /** Undefined before the first status line: there is then no row in `vmachine` (R7). */
  readonly report: GuestReport | undefined;
  /** When the last status line came; undefined until the first. */
  readonly heardMs: number | undefined;
  /** `free_count` of its row: idle reports in a row. */
  readonly freeCount: number;
  readonly dispatchedSinceReport: boolean;
  /** Link errors and 5xx in a row (R2). */
  readonly faults: number;
  /** It is to be replaced by a new one: an administrator asked for it. */
  readonly replace: boolean;
  /** The VM that this one was started to replace. */
  readonly replaces: VmId | undefined;
  /** R2 drains it because it fails. */
  readonly ejected: boolean;
  /** It leaves because of a failure of its own: its end counts towards the back-off. */
  readonly failed: boolean;
  /** What it was when its host got out of reach. */
  readonly stateBefore: VmState | undefined;
  /** Why it is draining or stopping. */
  readonly why: string | undefined;
}

/** What a VM is from its reservation or its adoption on. */
export interface NewVm {
  readonly vm: VmId;
  readonly host: string;
  readonly address: Address;
  readonly spare: boolean;
  readonly nowMs: number;
  /** Default `preparing`; an adopted VM is further. */
  readonly state?: 'preparing' | 'prepared' | 'booting' | 'stopping';
  /** Default `nowMs`. */
  readonly startedMs?: number;
  /** Default: that of the parameters. */
  readonly statusIntervalMs?: number;
  readonly replaces?: VmId;
}

/** What happens to one VM. An event that does not fit its state (late, repeated) changes nothing. */
export type VmEvent =
  /** R3 wants the spare now. */
  | { readonly kind: 'vm-wanted'; readonly vm: VmId; readonly nowMs: number }
  | { readonly kind: 'vm-prepared'; readonly vm: VmId }
  | { readonly kind: 'vm-booting'; readonly vm: VmId; readonly nowMs: number }
  | { readonly kind: 'vm-answering'; readonly vm: VmId; readonly guest: GuestReady }
  | { readonly kind: 'vm-linked'; readonly vm: VmId; readonly linked: boolean; readonly nowMs: number }
  | { readonly kind: 'vm-report'; readonly vm: VmId; readonly report: GuestReport; readonly nowMs: number }
  | { readonly kind: 'dispatched'; readonly vm: VmId }
  /** `fault`: true for a link error or 5xx, false for a reply that shows the VM sound; undefined tells nothing. */
  | { readonly kind: 'ended'; readonly vm: VmId; readonly nowMs: number; readonly fault: boolean | undefined }
  | { readonly kind: 'vm-replace'; readonly vm: VmId }
  | { readonly kind: 'vm-draining'; readonly vm: VmId; readonly why: string; readonly ejected: boolean }
  | { readonly kind: 'vm-stopping'; readonly vm: VmId; readonly why: string; readonly failed: boolean };

export function newVm(vm: NewVm, params: Params): Mutable<Vm> {
  const state = vm.state ?? 'preparing';
  return {
    id: vm.vm,
    host: vm.host,
    address: vm.address,
    state,
    spare: vm.spare,
    confirmed: state !== 'preparing',
    statusIntervalMs: vm.statusIntervalMs ?? params.statusIntervalMs,
    startedMs: vm.startedMs ?? vm.nowMs,
    leaseMs: vm.nowMs,
    // Who adopts a VM gives it as much time as if it had just been started.
    bootMs: state === 'booting' ? vm.nowMs : undefined,
    readyMs: undefined,
    guest: undefined,
    linked: false,
    linkDownMs: undefined,
    inFlight: 0,
    idleMs: vm.nowMs,
    report: undefined,
    heardMs: undefined,
    freeCount: 0,
    dispatchedSinceReport: false,
    faults: 0,
    replace: false,
    replaces: vm.replaces,
    ejected: false,
    failed: false,
    stateBefore: undefined,
    why: undefined,
  };
}

/** @returns false if the event does not fit: nothing changed */
export function changeVm(vm: Mutable<Vm>, event: VmEvent, params: Params): boolean {
  switch (event.kind) {
    case 'vm-wanted':
      if (!vm.spare) return false;
      vm.spare = false;
      vm.startedMs = event.nowMs;
      vm.leaseMs = event.nowMs;
      return true;
    case 'vm-prepared':
      vm.confirmed = true;
      return move(vm, ['preparing'], 'prepared');
    case 'vm-booting':
      if (!move(vm, ['prepared'], 'booting')) return false;
      vm.bootMs = event.nowMs;
      return true;
    case 'vm-answering':
      vm.guest = event.guest;
      return true;
    case 'vm-linked':
      return event.linked ? linked(vm, event.nowMs) : unlinked(vm, event.nowMs);
    case 'vm-report':
      return report(vm, event.report, event.nowMs, params);
    case 'dispatched':
      vm.inFlight += 1;
      vm.dispatchedSinceReport = true;
      return true;
    case 'ended':
      return ended(vm, event.nowMs, event.fault);
    case 'vm-replace':
      vm.replace = true;
      return true;
    case 'vm-draining':
      if (!move(vm, ['ready'], 'draining')) return false;
      vm.why = event.why;
      vm.ejected = event.ejected;
      vm.failed = event.ejected;
      return true;
    case 'vm-stopping':
      return stopping(vm, event.why, event.failed);
  }
}

/** Leaves `forMs` out of every time that a rule looks at: it was no time in which the VM could have been heard. */
export function leaveOut(vm: Mutable<Vm>, forMs: number, nowMs: number): void {
  const later = (ms: number): number => Math.min(nowMs, ms + forMs);
  vm.leaseMs = later(vm.leaseMs);
  vm.idleMs = later(vm.idleMs);
  if (vm.bootMs !== undefined) vm.bootMs = later(vm.bootMs);
  if (vm.heardMs !== undefined) vm.heardMs = later(vm.heardMs);
  if (vm.linkDownMs !== undefined) vm.linkDownMs = later(vm.linkDownMs);
}

/** R2: ready, not draining, and fewer in flight than it works on at a time. */
export function isFree(vm: Vm, params: Params): boolean {
  return vm.state === 'ready' && vm.linked && vm.inFlight < params.vmRequestsMax;
}

/** R4: its queue takes one more. */
export function hasRoom(vm: Vm, params: Params): boolean {
  return vm.state === 'ready' && vm.linked && vm.inFlight < params.vmRequestsMax + params.vmBacklogMax;
}

/** On its way to take requests. A spare is not capacity to come until it is wanted. */
export function isStarting(vm: Vm): boolean {
  return !vm.spare && (vm.state === 'preparing' || vm.state === 'prepared' || vm.state === 'booting');
}

/** A spare that may still be had instead of a new VM. */
export function isSpare(vm: Vm): boolean {
  return vm.spare && (vm.state === 'preparing' || vm.state === 'prepared');
}

function move(vm: Mutable<Vm>, from: readonly VmState[], to: VmState): boolean {
  if (!from.includes(vm.state)) return false;
  vm.state = to;
  return true;
}

function linked(vm: Mutable<Vm>, nowMs: number): boolean {
  if (vm.linked) return false;
  vm.linked = true;
  vm.linkDownMs = undefined;
  if (vm.state === 'booting') {
    vm.state = 'ready';
    becameReady(vm, nowMs);
  }
  if (vm.stateBefore === 'booting') {
    // It came up while its host was out of reach.
    vm.stateBefore = 'ready';
    becameReady(vm, nowMs);
  }
  return true;
}

function becameReady(vm: Mutable<Vm>, nowMs: number): void {
  vm.readyMs = nowMs;
  vm.idleMs = nowMs;
}

function unlinked(vm: Mutable<Vm>, nowMs: number): boolean {
  if (!vm.linked) return false;
  vm.linked = false;
  vm.linkDownMs = nowMs;
  vm.faults += 1;
  return true;
}

function ended(vm: Mutable<Vm>, nowMs: number, fault: boolean | undefined): boolean {
  if (vm.inFlight === 0) return false;
  vm.inFlight -= 1;
  if (vm.inFlight === 0) vm.idleMs = nowMs;
  if (fault !== undefined) vm.faults = fault ? vm.faults + 1 : 0;
  return true;
}

function stopping(vm: Mutable<Vm>, why: string, failed: boolean): boolean {
  if (vm.state === 'stopping' || vm.state === 'unknown') return false;
  vm.state = 'stopping';
  vm.why = why;
  vm.failed ||= failed;
  return true;
}

/**
 * R5 counts as the reports come, not when somebody looks. A repeated or older report changes nothing, one with figures that
 * cannot be is none at all, and one from before ready says nothing about load.
 */
function report(vm: Mutable<Vm>, line: GuestReport, nowMs: number, params: Params): boolean {
  if (!isPossible(line) || (vm.report !== undefined && line.seq <= vm.report.seq)) return false;
  vm.report = line;
  vm.heardMs = nowMs;
  if (vm.state !== 'ready' && vm.state !== 'draining') return true;
  const idle = line.cpuPercent < params.idleCpuPercent && vm.inFlight === 0 && !vm.dispatchedSinceReport;
  vm.freeCount = idle ? vm.freeCount + 1 : 0;
  vm.dispatchedSinceReport = false;
  return true;
}

function isPossible({ seq, cpuPercent, ramBytes, inFlight, served }: GuestReport): boolean {
  const counts = [seq, inFlight, served, ramBytes];
  return counts.every((count) => Number.isSafeInteger(count) && count >= 0) && cpuPercent >= 0 && cpuPercent <= 100;
}
