import type { Plan } from '../plan.ts';

/**
 * R7: how long a reservation may stand without a VM that was heard of, by a status line or over its link. A spare that is prepared keeps its own, and a
 * VM that boots has its `boot_timeout_ms`. The stop makes the host end and confirm gone whatever it started; only then is the address
 * released. A host out of reach keeps it.
 */
export function endLapsed(plan: Plan): void {
  const { ipReserveMs, bootTimeoutMs } = plan.fleet.params;
  // Figures are whole milliseconds.
  if (!plan.fleet.isLeaseFrom(plan.heardUntilMs - ipReserveMs + 1)) return;
  for (const vm of plan.fleet.group('unreported')) {
    // One that took its link is R6's to judge.
    if (vm.state === 'ready' || vm.state === 'draining') continue;
    const reservedMs = Math.round(plan.heardUntilMs - vm.leaseMs);
    if (reservedMs < ipReserveMs) continue;
    if (vm.bootMs !== undefined && plan.heardUntilMs - vm.bootMs < bootTimeoutMs) continue;
    const figures = { reserved_ms: reservedMs, ip_reserve_ms: ipReserveMs };
    const why = `its reservation lapsed after ${reservedMs} ms without a status line`;
    const boot =
      vm.bootMs === undefined ? 'its CPU was never started' : `boot_timeout_ms (${bootTimeoutMs}) has passed`;
    const end = { reason: 'lease-lapsed', why, considered: [{ what: 'letting it boot', why: boot }] } as const;
    plan.stop({ rule: 'R7', vm: vm.id, ...end, fault: 'failed', figures });
  }
}
