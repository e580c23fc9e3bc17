import type { Addressee, Exit, ExitReason, Ref } from '../actors/mod.ts';

/** The way from here to the thread where an actor lives. */
export interface Way {
  /** Why there is none any more. */
  readonly closed: ExitReason | undefined;
  readonly unacknowledged: number;
  readonly hasRoom: boolean;
  /** Resolves when there is room, or never will be. */
  room(): Promise<void>;
  tell(to: number, message: unknown, path: string): boolean;
  /** @param counts whether a failure counts as seen by that */
  watch(ref: RemoteRef<never>, counts: boolean): void;
  unwatch(ref: RemoteRef<never>): void;
  stop(id: number, timeoutMs: number | undefined): void;
}

/** The ref of an actor on another thread. */
export class RemoteRef<M> implements Ref<M>, Addressee {
  readonly path: string;
  readonly id: number;
  readonly way: Way;
  #listeners: Map<object, (exit: Exit) => void> | undefined;
  /** Whether the other end has been asked to watch, and not only to tell. */
  #counts = false;

  constructor(way: Way, id: number, path: string) {
    this.way = way;
    this.id = id;
    this.path = path;
  }

  /** What is known here: the thread is there. */
  get state(): 'running' | 'stopped' {
    return this.way.closed === undefined ? 'running' : 'stopped';
  }

  get depth(): number {
    return this.way.unacknowledged;
  }

  tell(message: M): boolean {
    return this.way.tell(this.id, message, this.path);
  }

  /** As `tell`, as soon as there is room on the way. */
  async offer(message: M): Promise<boolean> {
    while (!this.way.hasRoom && this.way.closed === undefined) await this.way.room();
    return this.tell(message);
  }

  watch(key: object, listener: (exit: Exit) => void): void {
    this.#listen(key, listener, true);
  }

  unwatch(key: object): void {
    if (this.#listeners?.delete(key) !== true || this.#listeners.size > 0) return;
    this.#listeners = undefined;
    this.#counts = false;
    this.way.unwatch(this);
  }

  onEnd(listener: (exit: Exit) => void): () => void {
    const key = {};
    this.#listen(key, listener, false);
    return () => this.unwatch(key);
  }

  shutdown(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      this.onEnd(() => resolve());
      this.way.stop(this.id, timeoutMs);
    });
  }

  /** The actor has ended, or its thread has. */
  ended(exit: Exit): void {
    const listeners = this.#listeners;
    this.#listeners = undefined;
    this.#counts = false;
    for (const tell of listeners?.values() ?? []) tell(exit);
  }

  #listen(key: object, listener: (exit: Exit) => void, counts: boolean): void {
    const { closed } = this.way;
    if (closed !== undefined) {
      listener({ path: this.path, reason: closed });
      return;
    }
    const isNew = this.#listeners === undefined || (counts && !this.#counts);
    this.#listeners ??= new Map();
    this.#listeners.set(key, listener);
    this.#counts ||= counts;
    if (isNew) this.way.watch(this, counts);
  }
}
