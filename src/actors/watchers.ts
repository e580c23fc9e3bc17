import type { Exit } from './ref.ts';

export type Listener = (exit: Exit) => void;

/** Everyone who is to be told of the end of an actor. */
export class Watchers {
  /** By the watcher. */
  readonly #watching = new Map<object, Listener>();
  readonly #listening = new Set<Listener>();

  /** A failure that somebody watches does not reach the parent. */
  get isWatched(): boolean {
    return this.#watching.size > 0;
  }

  watch(watcher: object, listener: Listener): void {
    this.#watching.set(watcher, listener);
  }

  unwatch(watcher: object): void {
    this.#watching.delete(watcher);
  }

  /** Listening does not count as watching. @returns how to cancel it */
  listen(listener: Listener): () => void {
    this.#listening.add(listener);
    return () => this.#listening.delete(listener);
  }

  tell(exit: Exit): void {
    for (const tell of this.#watching.values()) tell(exit);
    for (const tell of this.#listening) tell(exit);
  }
}
