import type { Plan } from '../plan.ts';

/** A stop that no `vm-gone` has answered is sent again: commands are delivered at most once. */
const STOP_AGAIN_MS = 5_000;

/** R5: stops that the host has not confirmed are repeated. */
export function repeatStops(plan: Plan): void {
  for (const vm of plan.fleet.group('stopping')) {
    const sinceMs = plan.nowMs - (vm.stopSentMs ?? Number.NEGATIVE_INFINITY);
    if (sinceMs >= STOP_AGAIN_MS) plan.repeatStop(vm, { since_stop_ms: Math.round(sinceMs) });
  }
}
