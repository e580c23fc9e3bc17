import { ShoalError } from '../errors.ts';
import { Cell } from './cell.ts';
import type { Ref } from './ref.ts';

/** @throws INTERNAL for a ref that is no actor of this thread */
export function asCell<M>(ref: Ref<M>): Cell<M> {
  if (ref instanceof Cell) return ref;
  throw new ShoalError('INTERNAL', `${ref.path} is not an actor of this system`);
}
