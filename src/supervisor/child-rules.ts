import { KeptOnce } from '../kept-once.ts';
import type { ChildSpec } from './child-spec.ts';

/** What the spec of a child says besides which child it is. */
export type ChildRules = Omit<ChildSpec, 'id' | 'start' | 'messages'>;

/** The rules of the children of one supervisor, which may have thousands of one kind. */
export class RulesOfChildren {
  readonly #kept = new KeptOnce<ChildRules>();

  of({ restart, shutdown, type, significant, backOff, restartLimit, onError, onRef, options }: ChildSpec): ChildRules {
    return this.#kept.of({ restart, shutdown, type, significant, backOff, restartLimit, onError, onRef, options });
  }
}
