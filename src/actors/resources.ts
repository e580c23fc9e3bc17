import { ShoalError } from '../errors.ts';
import { SmallMap } from '../small-map.ts';
import type { Addressee } from './addressee.ts';
import type { Cell } from './cell.ts';
import { Children } from './children.ts';
import type { KeyedTimers } from './keyed-timers.ts';
import type { Child } from './life.ts';
import type { Exit } from './ref.ts';
import type { ReplyRef } from './reply-ref.ts';
import { Stash } from './stash.ts';
import { Timers } from './timers.ts';
import { Watch } from './watch.ts';

/** What watches: it is sent a message of each end. */
interface Watcher<M> {
  post(toMessage: () => M, watch: Watch<M>): void;
}

/**
 * Everything that must not outlive an incarnation: children, timers, watches and the stash. Most actors need few of
 * these, so each is made on its first use.
 */
export class Resources<M> {
  /** The thread of the actor that this one stands for. */
  shard: string | undefined;
  keyedTimers: KeyedTimers<M> | undefined;
  readonly #cell: Cell<M>;
  /** The incarnation, under which actors that it watches know it. */
  readonly #watcher: Watcher<M>;
  #children: Children | undefined;
  #timers: Timers | undefined;
  /** Those that are watched; a child is found among the children. */
  #watched: SmallMap<Addressee, Watch<M>> | undefined;
  /** Those whose ends it was told of. */
  #told: WeakMap<Addressee, Watch<M>> | undefined;
  #stash: Stash<M> | undefined;
  #asks: Set<ReplyRef<never>> | undefined;

  constructor(cell: Cell<M>, watcher: Watcher<M>) {
    this.#cell = cell;
    this.#watcher = watcher;
  }

  get children(): Iterable<Cell<never>> {
    return this.#children?.values() ?? [];
  }

  get childrenLastFirst(): Iterable<Cell<never>> {
    return this.#children?.lastFirst() ?? [];
  }

  get hasChildren(): boolean {
    return (this.#children?.size ?? 0) > 0;
  }

  get path(): string {
    return this.#cell.path;
  }

  get timers(): Timers {
    this.#timers ??= new Timers(this.#cell.kernel.clock);
    return this.#timers;
  }

  /** Whether messages are put aside. */
  get hasStashed(): boolean {
    return this.#stash?.isEmpty === false;
  }

  get stash(): Stash<M> {
    this.#stash ??= new Stash(this.#cell);
    return this.#stash;
  }

  /** @throws ACTOR_NAME_TAKEN */
  addChild<C>(child: Cell<C>): void {
    this.#children ??= new Children();
    this.#children.add(child);
  }

  forgetChild(child: Child): void {
    this.#children?.delete(child);
  }

  watch(actor: Addressee, toMessage: (exit: Exit) => M): void {
    const known = this.#watched?.get(actor) ?? this.#told?.get(actor);
    const watch = known ?? new Watch(this, actor, toMessage);
    watch.toMessage = toMessage;
    if (actor.parent !== this.#watcher) {
      this.#watched ??= new SmallMap();
      this.#watched.set(actor, watch);
    }
    actor.watch(this.#watcher, watch);
  }

  /** An actor that is watched has ended. */
  hear(exit: Exit, watch: Watch<M>): void {
    this.#watched?.delete(watch.actor);
    this.#told ??= new WeakMap();
    this.#told.set(watch.actor, watch);
    this.#watcher.post(() => watch.toMessage(exit), watch);
  }

  /** The actor waits for this reply. */
  addAsk(replyTo: ReplyRef<never>): void {
    this.#asks ??= new Set();
    const asks = this.#asks;
    asks.add(replyTo);
    replyTo.onSettled(() => asks.delete(replyTo));
  }

  unwatch(actor: Addressee): void {
    actor.unwatch(this.#watcher);
    this.#watched?.delete(actor);
    const notice = this.#told?.get(actor);
    if (notice === undefined) return;
    this.#told?.delete(actor);
    if (notice.isSent) this.#cell.marks.revoke(notice);
  }

  /**
   * The actor takes no more messages: its timers, watches and asks are cancelled, and its stash becomes dead letters.
   */
  cancelAll(): void {
    this.#timers?.cancelAll();
    this.#timers = undefined;
    for (const actor of this.#watched?.keys() ?? []) actor.unwatch(this.#watcher);
    this.#watched = undefined;
    for (const child of this.children) child.unwatch(this.#watcher);
    for (const replyTo of this.#asks ?? []) {
      replyTo.fail(new ShoalError('ACTOR_STOPPED', `${this.#cell.path} ended before it had the reply`));
    }
    this.#stash?.refuseAll();
  }
}
