import type { Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';

/**
 * A ref for an actor that is started later: of two actors with refs to each other, one starts first. Messages sent before `bind` are
 * kept, in order.
 */
export class DeferredRef<M> implements Ref<M> {
  readonly path: string;
  #target: Ref<M> | undefined;
  #kept: M[] = [];

  constructor(path: string) {
    this.path = path;
  }

  bind(target: Ref<M>): void {
    this.#target = target;
    for (const message of this.#kept.splice(0)) target.tell(message);
  }

  /** The actor itself. @throws INTERNAL before `bind` */
  get target(): Ref<M> {
    if (this.#target === undefined) throw new ShoalError('INTERNAL', `${this.path} has not been started`);
    return this.#target;
  }

  tell(message: M): boolean {
    if (this.#target !== undefined) return this.#target.tell(message);
    this.#kept.push(message);
    return true;
  }
}
