import { REPORTS_BEFORE_SILENCE } from '../params.ts';
import type { Plan } from '../plan.ts';
import type { Vm } from '../vm-record.ts';
import type { Work } from '../work.ts';

/** R6: what nothing is heard of is stuck or dead. A guest may be silent while it computes. */
export function endSilent(plan: Plan, work: Work): void {
  for (const vm of plan.fleet.vms) {
    if (vm.state === 'booting') endLateBoot(plan, vm);
    else if (vm.state !== 'ready' && vm.state !== 'draining') continue;
    else if (vm.heardMs === undefined) endMute(plan, vm, work);
    else endUnheard(plan, vm, vm.heardMs, work);
  }
}

/** A host that told of itself and does so no more is out of reach: that says nothing about its VMs. */
export function findUnreachable(plan: Plan): void {
  const { lastConnectMs } = plan.fleet.params;
  for (const host of plan.fleet.hosts) {
    if (host.downMs !== undefined || host.heardMs === undefined) continue;
    const silentMs = Math.round(plan.nowMs - host.heardMs);
    if (silentMs < lastConnectMs) continue;
    plan.hostDown('R6', host.name, { silent_ms: silentMs, last_connect_ms: lastConnectMs });
  }
}

function endLateBoot(plan: Plan, vm: Vm): void {
  const { bootTimeoutMs } = plan.fleet.params;
  const bootMs = Math.round(heardUntilMs(plan, vm) - (vm.bootMs ?? vm.leaseMs));
  if (bootMs < bootTimeoutMs) return;
  const figures = { booting_ms: bootMs, boot_timeout_ms: bootTimeoutMs };
  plan.stop({ rule: 'R6', vm: vm.id, why: `not ready after ${bootMs} ms`, verdict: 'failed', figures });
}

/** It took the link and never printed a status line: before the first one `boot_timeout_ms` rules. */
function endMute(plan: Plan, vm: Vm, work: Work): void {
  const { bootTimeoutMs } = plan.fleet.params;
  const bootMs = Math.round(heardUntilMs(plan, vm) - (vm.bootMs ?? vm.leaseMs));
  if (bootMs < bootTimeoutMs || (vm.inFlight > 0 && !isOverdue(plan, vm, work))) return;
  const figures = { booting_ms: bootMs, boot_timeout_ms: bootTimeoutMs };
  plan.stop({ rule: 'R6', vm: vm.id, why: `no status line within ${bootMs} ms`, verdict: 'failed', figures });
}

function endUnheard(plan: Plan, vm: Vm, heardMs: number, work: Work): void {
  const { lastConnectMs, stuckMs } = plan.fleet.params;
  const limitMs = Math.max(lastConnectMs, REPORTS_BEFORE_SILENCE * vm.statusIntervalMs);
  const working = vm.inFlight > 0;
  if (working && !isOverdue(plan, vm, work)) return;
  // Silence in work says nothing, also when the work has just ended: it counts from then on.
  const silentMs = Math.round(heardUntilMs(plan, vm) - (working ? heardMs : Math.max(heardMs, vm.idleMs)));
  if (silentMs < limitMs) return;
  const verdict = working ? 'stuck' : 'dead';
  const figures = { silent_ms: silentMs, last_connect_ms: limitMs, in_flight: vm.inFlight, stuck_ms: stuckMs };
  plan.stop({ rule: 'R6', vm: vm.id, why: `${verdict}: silent for ${silentMs} ms`, verdict, figures });
}

/** Until when the VM could have been heard. While its host is silent as well, the silence may be the host's. */
function heardUntilMs(plan: Plan, vm: Vm): number {
  return Math.min(plan.nowMs, plan.fleet.host(vm.host)?.heardMs ?? plan.nowMs);
}

function isOverdue(plan: Plan, vm: Vm, work: Work): boolean {
  const oldestMs = work.oldestDeadlineMs(vm.id);
  return oldestMs !== undefined && plan.nowMs >= oldestMs + plan.fleet.params.stuckMs;
}
