import { ShoalError } from '../errors.ts';
import type { Cell } from './cell.ts';

/** The living children of one incarnation, by their names and in the order in which they started. */
export class Children {
  readonly #byName = new Map<string, Cell<never>>();

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
  add<C>(child: Cell<C>, parentPath: string): void {
    if (this.#byName.has(child.name)) {
      throw new ShoalError(
        'ACTOR_NAME_TAKEN',
        `${parentPath} already has a child named "${child.name}"; stop it or choose another`,
      );
    }
    // A map of children is never used to send.
    this.#byName.set(child.name, child as unknown as Cell<never>);
  }

  /** Its name is free again, unless it is another's by now. */
  delete<C>(child: Cell<C>): void {
    const known: unknown = this.#byName.get(child.name);
    if (known === child) this.#byName.delete(child.name);
  }
}
