import type { Fleet } from '../state/fleet.ts';
import { decideSizing, keepSpares, scaleDown, scaleUp } from './checked-sizing.ts';
import type { FleetDecision } from './decision.ts';
import { DEFAULT_SIZING } from './default-sizing.ts';
import { Plan } from './plan.ts';
import { tellBlockage } from './rules/blocked.ts';
import { judgeDeploy, replaceOutdated } from './rules/deploy.ts';
import { endDrained } from './rules/drained.ts';
import { ejectFailing } from './rules/ejection.ts';
import { restoreMinimum } from './rules/first-vm.ts';
import { findHostAway } from './rules/host-away.ts';
import { endLapsed } from './rules/lease.ts';
import { replaceAsked } from './rules/replacement.ts';
import { endSilent } from './rules/silence.ts';
import { repeatStops } from './rules/unconfirmed.ts';
import { tellWaiting } from './rules/waiting.ts';
import type { SizingPolicy } from './sizing.ts';

/**
 * What is to be done with the VMs now. Pure. Each rule sees what those before it decided, and what must end comes first: it is no
 * capacity for what follows.
 * @param nowMs monotonic milliseconds
 */
export function step(fleet: Fleet, nowMs: number, sizing: SizingPolicy = DEFAULT_SIZING): readonly FleetDecision[] {
  const plan = new Plan(fleet, nowMs);
  findHostAway(plan);
  // Of VMs out of reach nothing is known, and nothing can be told to them.
  if (plan.decisions.length > 0) return plan.decisions;
  if (fleet.host.reach === 'away') {
    tellWaiting(plan);
    return plan.decisions;
  }
  endSilent(plan);
  endLapsed(plan);
  endDrained(plan);
  repeatStops(plan);
  if (!fleet.isClosing) {
    ejectFailing(plan);
    judgeDeploy(plan);
    restoreMinimum(plan);
  }
  size(plan, sizing);
  tellBlockage(plan);
  tellWaiting(plan);
  return plan.decisions;
}

function size(plan: Plan, policy: SizingPolicy): void {
  const sizing = decideSizing(plan, policy);
  scaleUp(plan, sizing);
  if (plan.fleet.isClosing) return;
  replaceAsked(plan);
  replaceOutdated(plan);
  // A VM that was missing may have been made good by one that a restart has just drained.
  restoreMinimum(plan);
  keepSpares(plan, sizing);
  scaleDown(plan, sizing);
}
