import type { Exit, ExitReason } from '../actors/mod.ts';
import { type Channel, RemoteRef, type Route } from './remote-ref.ts';

interface Entry {
  readonly id: number;
  readonly ref: WeakRef<RemoteRef<never>>;
  /** How often the other end has sent it. */
  mentions: number;
}

let areHeld = false;

/**
 * From now on no ref of another thread or host is given back before its link ends. When a ref is garbage is a matter of the engine, and what a
 * simulation does may depend on its seed alone.
 */
export function holdImports(): void {
  areHeld = true;
}

/**
 * The refs of the other end's actors that are in use here. A number has the same ref each time: an actor has one, and
 * another for each time that it was asked for by name. When nobody holds a ref any more, the other end is told, so that
 * it can forget it too.
 */
export class Imports {
  readonly #channel: Channel;
  readonly #entries = new Map<number, Entry>();
  /** Refs whose end somebody waits for. Nobody else may hold them. */
  readonly #watched = new Map<number, RemoteRef<never>>();
  /** Where messages to a ref go, if they do not go to the other end: by the id of the ref. */
  readonly #routes = new Map<number, Route>();
  /** Refs for which there may be such a way. */
  readonly #routable = new Set<number>();
  readonly #registry: FinalizationRegistry<Entry>;
  /** Undefined unless all are held. */
  readonly #held: Set<RemoteRef<never>> | undefined = areHeld ? new Set() : undefined;

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
    made.route = this.#routes.get(id);
    made.mayRoute = this.#routable.has(id);
    const entry: Entry = { id, ref: new WeakRef(made), mentions: 1 };
    this.#entries.set(id, entry);
    if (this.#held === undefined) this.#registry.register(made, entry);
    else this.#held.add(made);
    return made;
  }

  /** The mailbox behind a ref is full, or has room again. */
  onRoom(id: number, hasRoom: boolean): void {
    this.#entries.get(id)?.ref.deref()?.onRoom(hasRoom);
  }

  /** There may be a direct way to the actor behind a ref. */
  mayRoute(id: number): void {
    this.#routable.add(id);
    const ref = this.#entries.get(id)?.ref.deref();
    if (ref !== undefined) ref.mayRoute = true;
  }

  /**
   * Where messages to the ref go from now on.
   * @param ask the question that this answers; undefined if nobody has sent any message to the ref before
   * @returns false if they stay where they are, because some were sent since the question
   */
  route(id: number, route: Route | undefined, ask: number | undefined): boolean {
    const ref = this.#entries.get(id)?.ref.deref();
    if (ask !== undefined && ref?.answered(ask) !== true) return false;
    if (route === undefined) return false;
    this.#routes.set(id, route);
    if (ref !== undefined) ref.route = route;
    return true;
  }

  /** Messages to the ref go to the other end again. @param exit the end of the actor that they went to */
  unroute(id: number, exit: Exit | undefined): void {
    this.#routes.delete(id);
    this.#routable.delete(id);
    this.#entries.get(id)?.ref.deref()?.unroute(exit);
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
    this.#held?.clear();
  }
}
