import type { FleetDecision } from './decision.ts';
import type { Fleet } from './fleet.ts';
import { Plan } from './plan.ts';
import { ejectFailing } from './rules/ejection.ts';
import { restoreMinimum } from './rules/first-vm.ts';
import { endLapsed } from './rules/lease.ts';
import { replaceAsked } from './rules/replacement.ts';
import { endDrained, scaleDown } from './rules/scale-down.ts';
import { scaleUp } from './rules/scale-up.ts';
import { endSilent, findUnreachable } from './rules/silence.ts';
import { keepSpares } from './rules/spares.ts';
import type { Work } from './work.ts';

/**
 * What is to be done with the VMs now. Pure; whoever carries the decisions out applies their events, so that the next step sees
 * them. What must end comes first: it is no capacity for what follows.
 * @param nowMs monotonic milliseconds
 */
export function step(fleet: Fleet, nowMs: number, work: Work): readonly FleetDecision[] {
  const plan = new Plan(fleet, nowMs);
  findUnreachable(plan);
  // What is known of the VMs of such a host changes with it: the rest is for the next step.
  if (plan.decisions.length > 0) return plan.decisions;
  endSilent(plan, work);
  endLapsed(plan);
  endDrained(plan, work);
  if (!fleet.isClosing) {
    ejectFailing(plan);
    restoreMinimum(plan);
  }
  scaleUp(plan);
  if (!fleet.isClosing) {
    keepSpares(plan);
    replaceAsked(plan);
    scaleDown(plan);
  }
  return plan.decisions;
}
