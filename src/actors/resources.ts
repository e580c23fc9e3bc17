import type { Addressee } from './addressee.ts';
import type { Cell } from './cell.ts';
import { Children } from './children.ts';
import { CleanUps } from './clean-ups.ts';
import type { Child } from './life.ts';
import { Stash } from './stash.ts';
import { Timers } from './timers.ts';
import type { Listener } from './watchers.ts';

/**
 * Everything that must not outlive an incarnation: children, timers, watches, the stash and clean-up. Most actors need
 * few of these, so each is made on its first use.
 */
export class Resources<M> {
  /** The thread of the actor that this one stands for. */
  shard: string | undefined;
  readonly #cell: Cell<M>;
  #children: Children | undefined;
  #timers: Timers | undefined;
  #watched: Set<Addressee> | undefined;
  #stash: Stash<M> | undefined;
  #cleanUps: CleanUps | undefined;

  constructor(cell: Cell<M>) {
    this.#cell = cell;
  }

  get children(): Iterable<Cell<never>> {
    return this.#children?.values() ?? [];
  }

  get childrenLastFirst(): Iterable<Cell<never>> {
    return this.#children?.lastFirst() ?? [];
  }

  /** Whether there is nothing that the end of the actor must wait for. */
  get endsAtOnce(): boolean {
    return (this.#children?.size ?? 0) === 0 && (this.#cleanUps?.isEmpty ?? true);
  }

  get timers(): Timers {
    this.#timers ??= new Timers(this.#cell.kernel.clock);
    return this.#timers;
  }

  get stash(): Stash<M> {
    this.#stash ??= new Stash(this.#cell);
    return this.#stash;
  }

  get cleanUps(): CleanUps {
    this.#cleanUps ??= new CleanUps();
    return this.#cleanUps;
  }

  /** @throws ACTOR_NAME_TAKEN */
  addChild<C>(child: Cell<C>): void {
    this.#children ??= new Children();
    this.#children.add(child);
  }

  forgetChild(child: Child): void {
    this.#children?.delete(child);
  }

  watch(actor: Addressee, listener: Listener): void {
    this.#watched ??= new Set();
    this.#watched.add(actor);
    actor.watch(this, (exit) => {
      this.#watched?.delete(actor);
      listener(exit);
    });
  }

  unwatch(actor: Addressee): void {
    actor.unwatch(this);
    this.#watched?.delete(actor);
  }

  /** The actor takes no more messages: its timers and watches are cancelled, and its stash becomes dead letters. */
  cancelAll(): void {
    this.#timers?.cancelAll();
    this.#timers = undefined;
    for (const actor of this.#watched ?? []) actor.unwatch(this);
    this.#watched = undefined;
    this.#stash?.refuseAll();
  }
}
