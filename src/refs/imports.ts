import type { Exit, ExitReason } from '../actors/mod.ts';
import { type Channel, RemoteRef } from './remote-ref.ts';

interface Entry {
  readonly id: number;
  readonly ref: WeakRef<RemoteRef<never>>;
  /** How often the other end has sent it. */
  mentions: number;
}

/**
 * The refs of the other end's actors that are in use here. An actor has the same ref each time. When nobody holds that
 * ref any more, the other end is told, so that it can forget it too.
 */
export class Imports {
  readonly #channel: Channel;
  readonly #entries = new Map<number, Entry>();
  /** Refs whose end somebody waits for. Nobody else may hold them. */
  readonly #watched = new Map<number, RemoteRef<never>>();
  readonly #registry: FinalizationRegistry<Entry>;

  constructor(channel: Channel, release: (id: number, count: number) => void) {
    this.#channel = channel;
    this.#registry = new FinalizationRegistry((entry) => {
      // If the ref was sent again since, there is a new entry.
      if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id);
      release(entry.id, entry.mentions);
    });
  }

  get(id: number, path: string): RemoteRef<never> {
    const known = this.#entries.get(id);
    const ref = known?.ref.deref();
    if (known !== undefined && ref !== undefined) {
      known.mentions += 1;
      return ref;
    }
    const made = new RemoteRef<never>(this.#channel, id, path);
    const entry: Entry = { id, ref: new WeakRef(made), mentions: 1 };
    this.#entries.set(id, entry);
    this.#registry.register(made, entry);
    return made;
  }

  /** The mailbox behind a ref is full, or has room again. */
  onRoom(id: number, hasRoom: boolean): void {
    this.#entries.get(id)?.ref.deref()?.onRoom(hasRoom);
  }

  watch(ref: RemoteRef<never>): void {
    this.#watched.set(ref.id, ref);
  }

  unwatch(ref: RemoteRef<never>): void {
    this.#watched.delete(ref.id);
  }

  ended(id: number, exit: Exit, isRepeated = false): void {
    const ref = this.#watched.get(id);
    this.#watched.delete(id);
    ref?.ended(exit, isRepeated);
  }

  /** The other end is gone, and all of its actors with it. */
  close(reason: ExitReason): void {
    for (const id of this.#entries.keys()) this.onRoom(id, true);
    for (const [id, ref] of [...this.#watched]) this.ended(id, { path: ref.path, reason });
    this.#entries.clear();
  }
}
