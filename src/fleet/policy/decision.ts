import type { Address } from '../values/address.ts';
import type { Considered } from '../values/considered.ts';
import type { DeployPhase } from '../values/deploy.ts';
import type { FailureReason, WaitReason } from '../values/end-reason.ts';
import type { HandOnFor } from '../values/neighbour.ts';
import type { Figures, Rule } from '../values/rule.ts';
import type { VmId, WantedEnd } from '../values/vm-id.ts';
import type { Blockage } from './blockage.ts';

/** What becomes of a request that has just come, or that is next in line. */
export type RouteDecision =
  | { readonly kind: 'dispatch'; readonly rule: Rule; readonly vm: VmId }
  | HandOnDecision
  | { readonly kind: 'wait'; readonly rule: Rule }
  | { readonly kind: 'refuse'; readonly rule: Rule; readonly reason: FailureReason; readonly message: string };

/** It goes to another host. */
export interface HandOnDecision {
  readonly kind: 'hand-on';
  readonly rule: Rule;
  readonly host: string;
  readonly what: HandOnFor;
}

/** What is to be done with the VMs, with the rule and the figures that it was decided on. */
export type FleetDecision =
  | StartDecision
  | UseSpareDecision
  | BootSpareDecision
  | DrainDecision
  | StopDecision
  | RepeatStopDecision
  | AskDecision
  | HostAwayDecision
  | BlockedDecision
  | WaitingDecision
  | SizingFailedDecision
  | DeployDecision;

/** A new VM is started; as a spare it is only prepared. */
export interface StartDecision {
  readonly kind: 'start';
  readonly rule: Rule;
  readonly address: Address;
  readonly spare: boolean;
  /** SHA-256 of the image that it is made from; undefined: the controller's own. */
  readonly image?: string | undefined;
  /** The VM that it is to replace. */
  readonly replaces: VmId | undefined;
  readonly figures: Figures;
  readonly considered?: readonly Considered[] | undefined;
}

/** A spare is used instead of a new VM. */
export interface UseSpareDecision {
  readonly kind: 'use-spare';
  readonly rule: Rule;
  readonly vm: VmId;
  readonly replaces: VmId | undefined;
  readonly figures: Figures;
  readonly considered?: readonly Considered[] | undefined;
}

/** A prepared spare is to boot, and then to stand still until it is wanted. */
export interface BootSpareDecision {
  readonly kind: 'boot-spare';
  readonly rule: Rule;
  readonly vm: VmId;
}

export interface DrainDecision extends WantedEnd {
  readonly kind: 'drain';
  readonly rule: Rule;
  readonly vm: VmId;
  /** R2: it fails. */
  readonly ejected: boolean;
  readonly figures: Figures;
  readonly considered?: readonly Considered[] | undefined;
}

export interface StopDecision extends WantedEnd {
  readonly kind: 'stop';
  readonly rule: Rule;
  readonly vm: VmId;
  /** Undefined: it is meant to go. `silent`: nothing is heard of it; `failed`: it was never of use. */
  readonly fault: 'silent' | 'failed' | undefined;
  readonly figures: Figures;
  readonly considered?: readonly Considered[] | undefined;
}

/** The host has not confirmed that a VM is gone, and is told once more to end it. */
export interface RepeatStopDecision extends WantedEnd {
  readonly kind: 'repeat-stop';
  readonly rule: Rule;
  readonly vm: VmId;
  readonly figures: Figures;
}

/** Before R6 ends a VM over its silence, it is asked over its link. */
export interface AskDecision {
  readonly kind: 'ask';
  readonly rule: Rule;
  readonly vm: VmId;
  readonly figures: Figures;
}

/** Nothing has been heard of the controller: what its VMs do is unknown. */
export interface HostAwayDecision {
  readonly kind: 'host-away';
  readonly rule: Rule;
  readonly figures: Figures;
}

/** VMs are wanted and none can be started, for another reason than before; undefined: that is over. */
export interface BlockedDecision {
  readonly kind: 'blocked';
  /** The rule that wants a VM. */
  readonly rule: Rule;
  readonly blockage: Blockage | undefined;
}

/** Requests wait for a VM, and are told what for: one event for all of them. */
export interface WaitingDecision {
  readonly kind: 'waiting';
  /** The rule that keeps them waiting. */
  readonly rule: Rule;
  readonly reason: WaitReason;
  /** For people. */
  readonly why: string;
  readonly figures: Figures;
  readonly considered: readonly Considered[];
}

/** The sizing policy failed, and the default decided in its place; `why` undefined: it works again. */
export interface SizingFailedDecision {
  readonly kind: 'sizing-failed';
  readonly policy: string;
  readonly why: string | undefined;
}

/** A deploy goes on, is rolled back, or ends. */
export interface DeployDecision {
  readonly kind: 'deploy';
  readonly phase: Exclude<DeployPhase, 'canary'>;
  readonly why: string;
  readonly figures: Figures;
}

/** A start needs an id for its VM, which only the store can give. */
export function isStart(decision: FleetDecision): decision is StartDecision {
  return decision.kind === 'start';
}
