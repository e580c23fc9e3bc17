import type { Vm } from '../../state/vm.ts';
import type { Considered } from '../../values/considered.ts';
import { REPORTS_BEFORE_SILENCE } from '../../values/params.ts';
import type { Figures } from '../../values/rule.ts';
import type { Plan } from '../plan.ts';

/** How long a VM that is asked over its link may take to answer. */
const ANSWER_MS_MAX = 1_000;

/** Figures of events are whole milliseconds, and rules judge by what they show. */
const ROUNDING_MS = 1;

/** R6: a VM that nothing is heard of is stuck or dead. A guest may be silent while it computes. */
export function endSilent(plan: Plan): void {
  const { fleet, heardUntilMs } = plan;
  const { bootTimeoutMs } = fleet.params;
  // While many VMs start there are many steps, and nearly never one that is late.
  if (fleet.isBootFrom(heardUntilMs - bootTimeoutMs + ROUNDING_MS)) {
    for (const vm of fleet.group('booting')) endLateBoot(plan, vm);
  }
  // One that is asked whether it lives is asked up to half of its time before it is over.
  if (fleet.isLeaseFrom(heardUntilMs - bootTimeoutMs / 2 + ROUNDING_MS)) {
    for (const vm of fleet.group('unreported')) {
      if ((vm.state === 'ready' || vm.state === 'draining') && vm.heardMs === undefined) endMute(plan, vm);
    }
  }
  for (const vm of plan.fleet.heard) {
    // They stand in the order in which they were heard of: all from here on were lately.
    if (vm.heardMs === undefined || plan.heardUntilMs - vm.heardMs < plan.fleet.params.lastConnectMs / 2) break;
    const isWatched = vm.state === 'ready' || vm.state === 'draining';
    if (isWatched && !plan.isLeaving(vm.id)) endUnheard(plan, vm);
  }
}

function endLateBoot(plan: Plan, vm: Vm): void {
  const { bootTimeoutMs } = plan.fleet.params;
  const bootMs = Math.round(plan.heardUntilMs - (vm.bootMs ?? vm.leaseMs));
  if (bootMs < bootTimeoutMs) return;
  const figures = { booting_ms: bootMs, boot_timeout_ms: bootTimeoutMs };
  const considered = [{ what: 'letting it boot', why: `boot_timeout_ms (${bootTimeoutMs}) has passed` }];
  const end = { reason: 'boot-timeout', why: `not ready after ${bootMs} ms`, considered } as const;
  plan.stop({ rule: 'R6', vm: vm.id, ...end, fault: 'failed', figures });
}

/** It took the link, and neither printed a status line nor answered a question: before that `boot_timeout_ms` rules. */
function endMute(plan: Plan, vm: Vm): void {
  const { bootTimeoutMs } = plan.fleet.params;
  const bootMs = Math.round(plan.heardUntilMs - (vm.bootMs ?? vm.leaseMs));
  const figures = { booting_ms: bootMs, boot_timeout_ms: bootTimeoutMs };
  if (!hasFallenSilent(plan, vm, bootMs, bootTimeoutMs, figures)) return;
  const end = { reason: 'silent', why: `no status line within ${bootMs} ms`, considered: asked(plan, vm) } as const;
  plan.stop({ rule: 'R6', vm: vm.id, ...end, fault: 'failed', figures });
}

function endUnheard(plan: Plan, vm: Vm): void {
  const { lastConnectMs, stuckMs } = plan.fleet.params;
  const limitMs = Math.max(lastConnectMs, REPORTS_BEFORE_SILENCE * vm.statusIntervalMs);
  const silent = Math.round(silentMs(plan, vm));
  const figures = { silent_ms: silent, last_connect_ms: limitMs, in_flight: vm.inFlight, stuck_ms: stuckMs };
  if (!hasFallenSilent(plan, vm, silent, limitMs, figures)) return;
  const work = vm.inFlight === 1 ? ' over a request' : vm.inFlight > 1 ? ` over ${vm.inFlight} requests` : '';
  const end = { reason: 'silent', why: `silent for ${silent} ms${work}`, considered: asked(plan, vm) } as const;
  plan.stop({ rule: 'R6', vm: vm.id, ...end, fault: 'silent', figures });
}

/**
 * Whether a VM is to be ended over its silence. The console may be what is broken: a VM that answers on its link is not ended. It is asked
 * in time for the limit to hold.
 */
function hasFallenSilent(plan: Plan, vm: Vm, silent: number, limitMs: number, figures: Figures): boolean {
  const answerMs = Math.min(ANSWER_MS_MAX, limitMs / 2);
  if (silent < limitMs - answerMs || !isIdleOrOverdue(plan, vm, answerMs)) return false;
  if (vm.linked && vm.askedMs === undefined) {
    plan.ask({ rule: 'R6', vm: vm.id, figures });
    return false;
  }
  const hasAnswerTime = vm.askedMs !== undefined && plan.ruleMs - vm.askedMs < answerMs;
  return silent >= limitMs && !hasAnswerTime && isIdleOrOverdue(plan, vm);
}

/** What else could show that it lives. */
function asked({ ruleMs, fleet }: Plan, { linked, askedMs, inFlight, requests }: Vm): readonly Considered[] {
  const answer = askedMs === undefined ? 'it was not asked' : `no answer for ${Math.round(ruleMs - askedMs)} ms`;
  const overMs = requests.first === undefined ? 0 : Math.round(ruleMs - requests.first.dueMs);
  const work = `its oldest request is past its deadline for ${overMs} ms, and stuck_ms is ${fleet.params.stuckMs}`;
  return [
    { what: 'its answer over the link', why: linked ? answer : 'the link is down' },
    { what: 'waiting for its work', why: inFlight === 0 ? 'it has none' : work },
  ];
}

/** @param earlyMs how long before it is overdue it counts as such */
function isIdleOrOverdue(plan: Plan, vm: Vm, earlyMs = 0): boolean {
  const oldest = vm.requests.first;
  return oldest === undefined || plan.ruleMs + earlyMs >= oldest.dueMs + plan.fleet.params.stuckMs;
}

/** Silence in work says nothing, even if the work has just ended: it counts from then on. */
function silentMs(plan: Plan, vm: Vm): number {
  const heardMs = vm.heardMs ?? vm.leaseMs;
  return plan.heardUntilMs - (vm.inFlight > 0 ? heardMs : Math.max(heardMs, vm.idleMs));
}
