import type { Considered } from './considered.ts';
import type { ReasonWord } from './end-reason.ts';
import type { Figures, Rule } from './rule.ts';

/** What something was decided on. */
export interface Grounds {
  /** None for what no rule decided. */
  readonly rule?: Rule;
  readonly figures?: Figures;
  /** Of an end: why. Of requests that wait: what for. */
  readonly reason?: ReasonWord;
  /** What else was looked at, and why it was not chosen. */
  readonly considered?: readonly Considered[] | undefined;
  /** Of a start: the VM is only prepared, and not let run before it is wanted. */
  readonly spare?: boolean;
}
