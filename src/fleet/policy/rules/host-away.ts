import { hostSilenceMs } from '../../values/params.ts';
import type { Plan } from '../plan.ts';

/** A host that told of itself and does so no more is out of reach: that says nothing about its VMs. */
export function findHostAway(plan: Plan): void {
  const { host, params } = plan.fleet;
  if (host.reach !== 'up' || host.heardMs === undefined) return;
  const silentMs = Math.round(plan.ruleMs - host.heardMs);
  const limitMs = hostSilenceMs(params);
  if (silentMs < limitMs) return;
  plan.hostAway('R6', { silent_ms: silentMs, last_connect_ms: limitMs });
}
