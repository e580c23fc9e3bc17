import type { Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';

/**
 * A ref for an actor that is not there yet: two actors that know each other cannot both be started first. What is sent before
 * `bind` is kept, in order.
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
