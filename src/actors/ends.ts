import type { SmallMap } from '../small-map.ts';
import { LinkedList } from './linked-list.ts';
import type { Exit, ExitReason } from './ref.ts';

export type Listener = (exit: Exit) => void;

/** Told of the end of an actor. */
export interface EndListener {
  ended(exit: Exit): void;
}

/** Those that watch an actor, each with what is told of the next end. */
export type Watching = SmallMap<object, EndListener>;

const NORMAL: ExitReason = { kind: 'normal' };

/**
 * What is known of the ends of one actor, and who else is to be told of the next. An actor that has neither ended nor been asked has
 * none of this.
 */
export class Ends {
  #lastReason = NORMAL;
  /** Asks come and go by the thousand, and a list costs a third of what a set does. */
  #listeners: LinkedList<EndListener> | undefined;
  /** Those that were told of the last end, so that one that watches again is not told of it for ever. */
  #told: WeakSet<object> | undefined;
  /** The last end was a failure that the parent has not been told of. */
  #isUnseen = false;

  get listeners(): LinkedList<EndListener> {
    this.#listeners ??= new LinkedList();
    return this.#listeners;
  }

  get isUnseen(): boolean {
    return this.#isUnseen;
  }

  /** The actor starts. */
  begin(): void {
    this.#told = undefined;
    this.#isUnseen = false;
  }

  /**
   * Tells of an end.
   * @param parent whose watch makes a failure seen; undefined if it is seen already
   */
  finish(exit: Exit, watching: Watching | undefined, parent: object | undefined): void {
    this.#lastReason = exit.reason;
    this.#isUnseen = exit.reason.kind === 'error' && parent !== undefined && watching?.has(parent) !== true;
    if (watching !== undefined) this.#told = new WeakSet(watching.keys());
    for (const listener of watching?.values() ?? []) listener.ended(exit);
    const listeners = this.#listeners;
    for (let one = listeners?.shift(); one !== undefined; one = listeners?.shift()) one.ended(exit);
  }

  /** Tells of the last end. @returns false if `watcher` was told of it before */
  tellLast(path: string, watcher: object, parent: object | undefined, listener: EndListener): boolean {
    if (this.#told?.has(watcher) === true) return false;
    // A failure that the parent is told of so late may still spare it.
    if (watcher === parent) this.#isUnseen = false;
    this.#told ??= new WeakSet();
    this.#told.add(watcher);
    listener.ended({ path, reason: this.#lastReason });
    return true;
  }

  /** From now on `watcher` is as one that was never told. */
  forget(watcher: object): void {
    this.#told?.delete(watcher);
  }

  /** @returns how to cancel it */
  listen(listener: Listener): () => void {
    const { listeners } = this;
    const node = listeners.push({ ended: listener });
    return () => listeners.remove(node);
  }
}
