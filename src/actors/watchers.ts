import { LinkedList } from './linked-list.ts';
import type { Exit } from './ref.ts';

export type Listener = (exit: Exit) => void;

/** Everyone who is to be told of the end of an actor. */
export class Watchers {
  /** By the watcher. Asks only listen, so most actors need no map. */
  #watching: Map<object, Listener> | undefined;
  /** Asks come and go by the thousand, and a list costs a third of what a set does. */
  readonly #listening = new LinkedList<Listener>();

  has(watcher: object): boolean {
    return this.#watching?.has(watcher) === true;
  }

  watch(watcher: object, listener: Listener): void {
    this.#watching ??= new Map();
    this.#watching.set(watcher, listener);
  }

  unwatch(watcher: object): void {
    this.#watching?.delete(watcher);
  }

  /** @returns how to cancel it */
  listen(listener: Listener): () => void {
    const listening = this.#listening;
    const node = listening.push(listener);
    return () => listening.remove(node);
  }

  get watching(): Iterable<object> | undefined {
    return this.#watching?.keys();
  }

  tell(exit: Exit): void {
    for (const tell of this.#watching?.values() ?? []) tell(exit);
    for (let tell = this.#listening.shift(); tell !== undefined; tell = this.#listening.shift()) tell(exit);
  }
}
