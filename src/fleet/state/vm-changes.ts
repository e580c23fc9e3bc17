import { type GuestReport, isPossible } from '../values/guest.ts';
import type { Params } from '../values/params.ts';
import type { VmTransition } from './transition.ts';
import type { LiveState, Vm, VmRecord } from './vm.ts';

/** A report that comes sooner after the last than this share of the interval was held up on its way: the newest of a pile counts. */
const COUNTED_SHARE = 0.25;
/** A VM that did not relay a command is not asked again for so long (R10). */
export const RELAY_AGAIN_MS = 10_000;

/**
 * Changes the record of one VM.
 * @param ruleMs when, on the rule clock
 * @returns false if the transition does not fit: nothing changed
 */
export function changeVm(
  vm: VmRecord,
  transition: Exclude<VmTransition, { kind: 'vm-reserved' | 'vm-gone' }>,
  params: Params,
  ruleMs: number,
): boolean {
  switch (transition.kind) {
    case 'vm-durable':
      vm.reserved = true;
      return true;
    case 'vm-refused':
      vm.refused = true;
      return true;
    case 'vm-wanted':
      if (!vm.spare || vm.state === 'stopping') return false;
      vm.spare = false;
      vm.startedMs = transition.nowMs;
      vm.leaseMs = ruleMs;
      vm.replaces = transition.replaces;
      vm.rule = transition.rule;
      return true;
    case 'vm-prepared':
      if (!move(vm, 'preparing', 'prepared')) return false;
      vm.isOnHost = true;
      vm.pid = transition.pid;
      vm.imageDigest = transition.imageDigest ?? vm.imageDigest;
      vm.memory = transition.memory;
      return true;
    case 'vm-spare-booted':
      if (vm.state !== 'prepared' || vm.booted === transition.booted) return false;
      vm.booted = transition.booted;
      return true;
    case 'vm-booting':
      if (!move(vm, 'prepared', 'booting')) return false;
      vm.bootMs = ruleMs;
      return true;
    case 'vm-answering':
      vm.guest = transition.guest;
      return true;
    case 'vm-linked':
      return transition.linked ? linked(vm, ruleMs) : unlinked(vm, ruleMs);
    case 'vm-congested':
      if (vm.congested === transition.congested) return false;
      vm.congested = transition.congested;
      return true;
    case 'vm-report':
      return report(vm, transition.report, ruleMs, params);
    case 'vm-asked':
      vm.askedMs = ruleMs;
      return true;
    case 'vm-heard':
      // Only a status line, or the answer to a question, starts the count of silence.
      if (vm.heardMs !== undefined || vm.askedMs !== undefined) heard(vm, ruleMs);
      return true;
    case 'vm-relay-missed':
      vm.relayFromMs = ruleMs + RELAY_AGAIN_MS;
      return true;
    case 'vm-replace':
      vm.replace = true;
      return true;
    case 'vm-draining':
      if (!move(vm, 'ready', 'draining')) return false;
      vm.why = transition.why;
      vm.reason = transition.reason;
      vm.ejected = transition.ejected;
      return true;
    case 'vm-stopping':
      if (vm.state === 'stopping') return false;
      vm.state = 'stopping';
      vm.why = transition.why;
      vm.reason = transition.reason;
      vm.stopSentMs = transition.nowMs;
      return true;
    case 'vm-stop-sent':
      vm.stopSentMs = transition.nowMs;
      return true;
  }
}

/** A repeated or older report is none, and neither is one with impossible figures. */
export function isNewReport(vm: Vm, report: GuestReport): boolean {
  return isPossible(report) && (vm.seq === undefined || report.seq > vm.seq);
}

function move(vm: VmRecord, from: LiveState, to: LiveState): boolean {
  if (vm.state !== from) return false;
  vm.state = to;
  return true;
}

function linked(vm: VmRecord, ruleMs: number): boolean {
  if (vm.linked) return false;
  vm.linked = true;
  vm.linkDownMs = undefined;
  // The guest has answered on it.
  if (vm.heardMs !== undefined) heard(vm, ruleMs);
  if (move(vm, 'booting', 'ready')) {
    vm.readyMs = ruleMs;
    vm.idleMs = ruleMs;
  }
  return true;
}

function unlinked(vm: VmRecord, ruleMs: number): boolean {
  if (!vm.linked) return false;
  vm.linked = false;
  vm.linkDownMs = ruleMs;
  vm.askedMs = undefined;
  vm.faults += 1;
  return true;
}

/** R5 counts as the reports come, not when somebody looks. A report from before ready says nothing about load. */
function report(vm: VmRecord, line: GuestReport, ruleMs: number, params: Params): boolean {
  if (!isNewReport(vm, line)) return false;
  vm.report = line;
  heard(vm, ruleMs);
  if (vm.state !== 'ready' && vm.state !== 'draining') return true;
  const idle =
    line.cpuPercent < params.idleCpuPercent && line.inFlight === 0 && vm.inFlight === 0 && !vm.dispatchedSinceReport;
  vm.dispatchedSinceReport = false;
  if (!idle) vm.freeCount = 0;
  else if (vm.countedMs === undefined || ruleMs - vm.countedMs >= COUNTED_SHARE * vm.statusIntervalMs) {
    vm.freeCount += 1;
    vm.countedMs = ruleMs;
  }
  return true;
}

function heard(vm: VmRecord, ruleMs: number): void {
  vm.heardMs = ruleMs;
  vm.askedMs = undefined;
}
