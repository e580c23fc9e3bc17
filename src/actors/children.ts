import { ShoalError } from '../errors.ts';
import { SmallMap } from '../small-map.ts';
import type { Cell } from './cell.ts';
import type { Child } from './life.ts';

/** The living children of one incarnation, by name and in the order of their start. */
export class Children {
  readonly #byName = new SmallMap<string, Cell<never>>();

  get size(): number {
    return this.#byName.size;
  }

  values(): Iterable<Cell<never>> {
    return this.#byName.values();
  }

  lastFirst(): Cell<never>[] {
    return [...this.#byName.values()].reverse();
  }

  /** @throws ACTOR_NAME_TAKEN */
  add<C>(child: Cell<C>): void {
    if (this.#byName.has(child.name)) {
      throw new ShoalError(
        'ACTOR_NAME_TAKEN',
        `${child.parent?.path} already has a child named "${child.name}"; stop it or choose another`,
      );
    }
    // Nothing is ever sent through this map.
    this.#byName.set(child.name, child as unknown as Cell<never>);
  }

  /** Does nothing if another child has taken the name since. */
  delete(child: Child): void {
    const known: Child | undefined = this.#byName.get(child.name);
    if (known === child) this.#byName.delete(child.name);
  }
}
