import type { Rule } from './rule.ts';

/** One thing that a decision looked at and did not choose. */
export interface Considered {
  /** What it was: `VM 3`, `a prepared spare`, ... */
  readonly what: string;
  /** Why it was not chosen, with the figures. */
  readonly why: string;
  /** The rule that says so, if it is another than that of the decision. */
  readonly rule?: Rule;
}

/** A decision names so many at most, and how many more there were. */
export const CONSIDERED_MAX = 8;
