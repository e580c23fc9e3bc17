import { onAddresses } from '../policy/on-addresses.ts';
import { onCommand } from '../policy/on-command.ts';
import { onHostEvent } from '../policy/on-host-event.ts';
import { onWriteFailed, onWritten } from '../policy/on-write.ts';
import type { Reaction } from '../policy/reaction.ts';
import type { Fleet } from '../state/fleet.ts';
import type { CommandMessage } from '../values/command-messages.ts';
import type { HostEvent } from '../values/host-messages.ts';
import type { RouterMessage } from './router-messages.ts';

/** The messages of which the policy says all that follows. */
export type PolicyMessage =
  | HostEvent
  | CommandMessage
  | Extract<RouterMessage, { kind: 'written' | 'write-failed' | 'params' | 'add-addresses' }>;

/** @param nowMs monotonic milliseconds @param epochMs milliseconds since the epoch */
export function reactionTo(fleet: Fleet, input: PolicyMessage, nowMs: number, epochMs: number): Reaction {
  switch (input.kind) {
    case 'written':
      return onWritten(fleet, input.vm, input.write, nowMs);
    case 'write-failed':
      return onWriteFailed(fleet, input.vm, input.write, input.error, nowMs);
    case 'drain-vm':
    case 'remove-vm':
    case 'drain-vms':
    case 'restart-vms':
    case 'scale':
    case 'deploy':
    case 'roll-back':
      return onCommand(fleet, input, nowMs);
    case 'params':
      return { transitions: [{ kind: 'params', params: input.params }], effects: [] };
    case 'add-addresses':
      return onAddresses(fleet, input.addresses);
    default:
      return onHostEvent(fleet, input, { nowMs, epochMs });
  }
}
