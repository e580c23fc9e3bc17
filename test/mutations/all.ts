import { EVENTS } from './events.ts';
import type { Mutation } from './mutation.ts';
import { REQUESTS } from './requests.ts';
import { ROUTER } from './router.ts';
import { SAFETY_RULES } from './safety-rules.ts';
import { SIZING_RULES } from './sizing-rules.ts';
import { STATE } from './state.ts';

/**
 * Every condition, comparison and constant of `src/fleet/policy/` and `src/fleet/state/`, and what the router does by itself, with one
 * change each. Left out are changes that nobody can notice; the page of the list that they would stand in says why.
 */
export const ALL: readonly Mutation[] = [...SIZING_RULES, ...SAFETY_RULES, ...REQUESTS, ...EVENTS, ...STATE, ...ROUTER];
