import type { Ref } from '../../actors/mod.ts';
import type { OpenRequest, Waiter } from '../state/open-request.ts';
import type { Transition } from '../state/transition.ts';
import type { Address } from '../values/address.ts';
import type { CommandReply } from '../values/command-messages.ts';
import type { DeployState } from '../values/deploy.ts';
import type { FleetEvent } from '../values/fleet-event.ts';
import type { HostCommand } from '../values/host-messages.ts';
import type { Relay } from '../values/relay.ts';
import type { Outcome } from '../values/request.ts';
import type { VmId } from '../values/vm-id.ts';

/** What follows from an input: how the fleet changes, and what the router then does, both in order. */
export interface Reaction {
  readonly transitions: readonly Transition[];
  readonly effects: readonly Effect[];
}

/** What reaches beyond the fleet. The router runs each in one switch. */
export type Effect =
  | { readonly kind: 'command'; readonly command: HostCommand }
  /** R10: the command goes through a guest. */
  | { readonly kind: 'relay'; readonly relay: Relay }
  | { readonly kind: 'event'; readonly event: Omit<FleetEvent, 'atMs'> }
  | { readonly kind: 'open-link'; readonly vm: VmId; readonly address: Address }
  /** Of a VM that answers as soon as it goes on; the link is of use once it is opened, too. */
  | { readonly kind: 'open-link-ahead'; readonly vm: VmId; readonly address: Address }
  | { readonly kind: 'close-link'; readonly vm: VmId }
  | { readonly kind: 'ping'; readonly vm: VmId }
  | { readonly kind: 'write-reservation'; readonly vm: VmId; readonly address: Address }
  /** The VM's row as the transitions have made it. `atMs`: when the report was read, milliseconds since the epoch. */
  | { readonly kind: 'write-row'; readonly vm: VmId; readonly atMs: number }
  | { readonly kind: 'update-row'; readonly vm: VmId; readonly atMs: number }
  | { readonly kind: 'write-release'; readonly vm: VmId }
  /** The write that ran for the VM has succeeded, or is given up: the next one may run. */
  | { readonly kind: 'write-done'; readonly vm: VmId }
  | { readonly kind: 'retry-write'; readonly vm: VmId }
  /** The request ends for all who wait for it. */
  | { readonly kind: 'answer'; readonly request: OpenRequest; readonly outcome: Outcome }
  /** One client is told; others may go on waiting. */
  | { readonly kind: 'answer-one'; readonly waiter: Waiter; readonly outcome: Outcome }
  /** The guest is asked to stop working on it. */
  | { readonly kind: 'cancel'; readonly vm: VmId; readonly frame: number }
  /** Another host is told that nobody waits for it any more. */
  | { readonly kind: 'cancel-handed'; readonly host: string; readonly frame: number }
  /** All who waited have been told; a repeat is a new request. */
  | { readonly kind: 'forget'; readonly request: OpenRequest }
  /** How far the deploy is: it is to be durable, and is acted on meanwhile. */
  | { readonly kind: 'save-deploy'; readonly deploy: DeployState }
  | { readonly kind: 'reply'; readonly replyTo: Ref<CommandReply>; readonly reply: CommandReply };

export const NOTHING: Reaction = { transitions: [], effects: [] };

/** One after the other. The parts must not depend on each other's transitions. */
export function combine(...reactions: readonly Reaction[]): Reaction {
  return {
    transitions: reactions.flatMap(({ transitions }) => transitions),
    effects: reactions.flatMap(({ effects }) => effects),
  };
}
