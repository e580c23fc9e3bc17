import type { Address } from './address.ts';
import type { RequestStatus } from './request.ts';
import type { VmId } from './vm.ts';

/** The rules of the design, section 5; `docs/rules.md` states them. `command`: an administrator asked for it. */
export type Rule = 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7' | 'R8' | 'R11' | 'command';

/** What becomes of a request that has just come, or that is next in line. */
export type RouteDecision =
  | { readonly kind: 'dispatch'; readonly rule: Rule; readonly vm: VmId }
  | { readonly kind: 'wait'; readonly rule: Rule }
  | { readonly kind: 'refuse'; readonly rule: Rule; readonly status: RequestStatus; readonly message: string };

/** What is to be done with the VMs, with the rule and the figures that it was made on. */
export type FleetDecision =
  | {
      readonly kind: 'start';
      readonly rule: Rule;
      readonly host: string;
      readonly address: Address;
      /** A spare on that address, to be used instead of a new VM. */
      readonly spare: VmId | undefined;
      /** The VM that it is to replace. */
      readonly replaces?: VmId;
      readonly figures: Figures;
    }
  /** A spare is to be kept ready on that address. */
  | {
      readonly kind: 'prepare';
      readonly rule: Rule;
      readonly host: string;
      readonly address: Address;
      readonly figures: Figures;
    }
  | DrainDecision
  | StopDecision
  /** Nothing has been heard of the host: what its VMs do is unknown. */
  | { readonly kind: 'host-down'; readonly rule: Rule; readonly host: string; readonly figures: Figures };

export interface DrainDecision {
  readonly kind: 'drain';
  readonly rule: Rule;
  readonly vm: VmId;
  readonly why: string;
  /** R2: it fails. */
  readonly ejected: boolean;
  readonly figures: Figures;
}

export interface StopDecision {
  readonly kind: 'stop';
  readonly rule: Rule;
  readonly vm: VmId;
  readonly why: string;
  /** `stuck`: silent over a request in work; `dead`: silent with nothing to do; `failed`: never of use. Undefined: meant to go. */
  readonly verdict: 'stuck' | 'dead' | 'failed' | undefined;
  readonly figures: Figures;
}

export type Figures = Readonly<Record<string, number | string>>;
