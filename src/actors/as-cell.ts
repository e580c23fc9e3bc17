import { noActor } from './addressee.ts';
import { Cell } from './cell.ts';
import type { Ref } from './ref.ts';

/** @throws ACTOR_REF_INVALID for a ref that is no actor of this thread */
export function asCell<M>(ref: Ref<M>): Cell<M> {
  if (ref instanceof Cell) return ref;
  throw noActor(ref);
}
