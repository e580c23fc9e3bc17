import type { ChildSpec } from './child-spec.ts';

/** What the spec of a child says besides which child it is. */
export type ChildRules = Omit<ChildSpec, 'id' | 'start' | 'messages'>;

/** The record has all names, or it does not compile. */
const NAMES = Object.keys({
  restart: true,
  shutdown: true,
  type: true,
  significant: true,
  backOff: true,
  restartLimit: true,
  onError: true,
  onRef: true,
  options: true,
} satisfies Record<keyof ChildRules, true>);

/** The rules of a spec; `known` if they are the same: a supervisor may have thousands of children of one kind. */
export function rulesOf(
  { restart, shutdown, type, significant, backOff, restartLimit, onError, onRef, options }: ChildSpec,
  known: ChildRules | undefined,
): ChildRules {
  const rules = { restart, shutdown, type, significant, backOff, restartLimit, onError, onRef, options };
  return known !== undefined && areSame(rules, known) ? known : rules;
}

function areSame(one: ChildRules, other: ChildRules): boolean {
  // All names are in both.
  return NAMES.every((name) => one[name as keyof ChildRules] === other[name as keyof ChildRules]);
}
