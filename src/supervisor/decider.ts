import { dropResult } from '../actors/mod.ts';
import type { Directive } from './child-spec.ts';

/** Decides by the error what becomes of an actor that has failed. */
export type Decider = (error: unknown) => Directive;

/** A decider that fails, or says something else, decides nothing: the child is restarted as its type says. */
export function directiveOf(decider: Decider, error: unknown): Directive {
  try {
    const directive = decider(error);
    // An async function decides nothing, and its error must not end the process.
    if (typeof directive !== 'string') dropResult(directive);
    return directive === 'resume' || directive === 'stop' ? directive : 'restart';
  } catch {
    return 'restart';
  }
}
