import type { Address } from './address.ts';
import type { RequestStatus } from './request.ts';
import type { VmId } from './vm.ts';

/** The rules of the design, section 5; `docs/rules.md` states them. */
export type Rule = 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7';

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
      /** A prepared spare on that address, to be used instead of a new VM. */
      readonly spare: VmId | undefined;
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
  | { readonly kind: 'drain'; readonly rule: Rule; readonly vm: VmId; readonly why: string; readonly figures: Figures }
  | { readonly kind: 'stop'; readonly rule: Rule; readonly vm: VmId; readonly why: string; readonly figures: Figures };

export type Figures = Readonly<Record<string, number | string>>;
