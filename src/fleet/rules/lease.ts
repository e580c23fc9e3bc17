import type { Plan } from '../plan.ts';

/**
 * R7: a reservation stands so long without a row, that is without a first status line; a spare that is prepared keeps its own. The stop
 * makes the host end and confirm gone whatever it started; only then is the address released. A host out of reach keeps it.
 */
export function endLapsed(plan: Plan): void {
  const { ipReserveMs } = plan.fleet.params;
  for (const vm of plan.fleet.vms) {
    if (vm.report !== undefined || vm.state === 'stopping' || vm.state === 'unknown') continue;
    if ((vm.spare && vm.state === 'prepared') || vm.inFlight > 0) continue;
    const reservedMs = Math.round(plan.nowMs - vm.leaseMs);
    if (reservedMs < ipReserveMs) continue;
    const figures = { reserved_ms: reservedMs, ip_reserve_ms: ipReserveMs };
    const why = `its reservation lapsed after ${reservedMs} ms without a status line`;
    plan.stop({ rule: 'R7', vm: vm.id, why, verdict: 'failed', figures });
  }
}
