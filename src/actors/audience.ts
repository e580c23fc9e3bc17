import type { Exit } from './ref.ts';

export type Listener = (exit: Exit) => void;

/** Who wants to hear of the end of an actor. */
export class Audience {
  /** The key tells whose the listener is. */
  readonly #watchers = new Map<object, Listener>();
  readonly #listeners = new Set<Listener>();

  /** Watchers take the news of a failure off the parent's hands. */
  get hasWatchers(): boolean {
    return this.#watchers.size > 0;
  }

  watch(key: object, listener: Listener): void {
    this.#watchers.set(key, listener);
  }

  unwatch(key: object): void {
    this.#watchers.delete(key);
  }

  /** @returns how to take that back */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(exit: Exit): void {
    for (const tell of this.#watchers.values()) tell(exit);
    for (const tell of this.#listeners) tell(exit);
  }
}
