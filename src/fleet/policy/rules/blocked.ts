import type { Fleet } from '../../state/fleet.ts';
import { type Blockage, blockageOf } from '../blockage.ts';
import type { Plan } from '../plan.ts';

/** R1 and R3 want a VM and none can be started: an event says why, once for each cause. */
export function tellBlockage(plan: Plan): void {
  const { fleet, nowMs } = plan;
  const running = plan.ready + plan.starting;
  const isShort = isOneMissing(fleet, running);
  // Whether the next one can be started shows when the VM that leaves is gone, and when the one that starts is there.
  if (isShort && (isOneLeaving(fleet) || plan.leaving > 0 || plan.hasStarted)) return;
  const blockage = isShort ? blockageOf(fleet, nowMs) : undefined;
  // A host out of reach, a failing image and a failing store have events of their own.
  const told = blockage?.cause === 'memory' || blockage?.cause === 'addresses' ? blockage : undefined;
  if (told?.cause !== fleet.blocked) plan.blocked(isBelowMinimum(fleet, running) ? 'R1' : 'R3', told);
}

/** Why a VM that is wanted now cannot be started; undefined if none is wanted, or one can be. */
export function wantedBlockage(fleet: Fleet, nowMs: number): Blockage | undefined {
  const running = fleet.group('ready').size + fleet.starting;
  return isOneMissing(fleet, running) && !isOneLeaving(fleet) ? blockageOf(fleet, nowMs) : undefined;
}

/** The minimum is not met, or requests wait and no VM is there or on its way. */
function isOneMissing(fleet: Fleet, running: number): boolean {
  return isBelowMinimum(fleet, running) || (fleet.requests.waiting > 0 && running === 0);
}

function isBelowMinimum({ params, isClosing }: Fleet, running: number): boolean {
  return running < params.minVmCount && !isClosing;
}

/** A VM that leaves gives its address and its memory back. */
function isOneLeaving(fleet: Fleet): boolean {
  return fleet.group('draining').size + fleet.group('stopping').size + fleet.releasing.size > 0;
}
