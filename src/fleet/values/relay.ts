import type { Address } from './address.ts';
import type { HostCommand } from './host-messages.ts';
import type { VmId } from './vm-id.ts';

/** R10: how commands reach the controller. `relay`: through guests, where one can. */
export type Control = 'direct' | 'relay';

/** The commands that may be relayed. To prepare a VM runs no guest, and goes direct. */
export type RelayedCommand = Extract<HostCommand, { readonly kind: 'start' | 'stop' }>;

/** A command that goes through a guest. */
export interface Relay {
  readonly command: RelayedCommand;
  /** That of the VM to start or stop. */
  readonly address: Address;
  /** The VM that is to relay it. */
  readonly through: VmId;
}

/** A command on its way, under a number of its own. */
export interface IssuedRelay {
  readonly number: number;
  /** What the guest prints. */
  readonly line: string;
}

/**
 * Signs commands and keeps those that are on their way. Whoever takes one out of it first, obedience or withdrawal, is the only one: so
 * a command is obeyed once, whichever way it comes. Times are monotonic milliseconds.
 */
export interface RelayPort {
  issue(relay: Relay, untilMs: number): IssuedRelay;
  /** It is not to be obeyed any more. @returns undefined if it is no longer on its way */
  withdraw(number: number): Relay | undefined;
  /** No command about that VM is to be obeyed any more. */
  withdrawAllOf(vm: VmId): void;
  /** What was issued before is nobody's any more: a new router knows nothing of it. */
  begin(): void;
}
