import { addresseeOf, type Exit, type Ref, ReplyRef, type Undelivered } from '../actors/mod.ts';
import { toEnvelope } from '../errors.ts';
import type { RefAddress } from './ref-address.ts';
import { RemoteRef, RemoteReplyRef } from './remote-ref.ts';

interface Watch {
  readonly counts: boolean;
  readonly again: boolean;
}

interface Entry {
  readonly id: number;
  readonly ref: Ref<never>;
  /** How often it was sent to the other end without being released since. */
  mentions: number;
  watch: { readonly counts: boolean; readonly cancel: () => void } | undefined;
  /** Called when it is forgotten. */
  forgotten: (() => void) | undefined;
}

/** A second reply comes soon after the first. */
const REPLIED_KEPT = 256;

/** The refs of this end that the other end of a channel knows, each under a number. */
export class Exports {
  readonly #entries = new Map<number, Entry>();
  readonly #ids = new Map<Ref<never>, number>();
  readonly #added: (ref: Ref<never>, id: number) => (() => void) | undefined;
  #nextId = 1;
  /** The numbers of asks that had their replies lately, in a ring. */
  readonly #replied: number[] = [];
  #repliedCount = 0;

  /** @param added told of each ref that the other end does not know. It returns what is to be called when it is forgotten */
  constructor(added: (ref: Ref<never>, id: number) => (() => void) | undefined = () => undefined) {
    this.#added = added;
  }

  get size(): number {
    return this.#entries.size;
  }

  addressOf(ref: Ref<never>): RefAddress {
    const known = this.#ids.get(ref);
    const entry = (known === undefined ? undefined : this.#entries.get(known)) ?? this.#add(ref);
    if (ref instanceof ReplyRef) {
      // One listener, however often the ref is sent.
      if (entry.id !== known) ref.onSettled(() => this.#settled(entry, ref));
      return ['reply', entry.id];
    }
    if (entry.id !== known) entry.forgotten = this.#added(ref, entry.id);
    entry.mentions += 1;
    return ['ref', entry.id, ref.path];
  }

  /** The other end has chosen a number for a ref, below 0. It releases it once. */
  bind(id: number, ref: Ref<never>): void {
    if (!this.#entries.has(id)) this.#entries.set(id, { id, ref, mentions: 1, watch: undefined, forgotten: undefined });
  }

  get(id: number): Ref<never> | undefined {
    return this.#entries.get(id)?.ref;
  }

  /** Why a message to a number that `get` does not know is not delivered. Only numbers are known of asks that have ended. */
  whyGone(id: number): Undelivered {
    if (id < 0) return 'stopped';
    return this.#replied.includes(id) ? 'second-reply' : 'late-reply';
  }

  /** The ask behind a ref of a reply gets none. */
  fail(id: number, error: Error): void {
    const ref = this.#entries.get(id)?.ref;
    if (ref instanceof ReplyRef) ref.fail(error);
  }

  release(id: number, count: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.mentions -= count;
    if (entry.mentions <= 0) this.#forget(entry);
  }

  /**
   * Tells `ended` of the end of an actor, once: at once if the actor has ended already, or is no actor. A watch that
   * counts is kept when one that does not is asked for. Watchers that watch `again` are not told of the last end if
   * the other end was told of it before; for others it is repeated.
   */
  watch(id: number, { counts, again }: Watch, ended: (exit: Exit, isRepeated: boolean) => void): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    let isRepeated = false;
    const once = (exit: Exit): void => {
      entry.watch = undefined;
      ended(exit, isRepeated);
    };
    const isTold = (): boolean => entry.watch === undefined;
    try {
      const actor = addresseeOf(entry.ref);
      // Only the thread or host of a remote one knows whether it has ended.
      const mayHaveEnded = actor.state === 'stopped' || entry.ref instanceof RemoteRef;
      if (entry.watch?.counts === true && (again || !mayHaveEnded)) return;
      const isCounted = counts || entry.watch?.counts === true;
      if (entry.watch?.counts === false) entry.watch.cancel();
      if (actor.state !== 'stopped' && !isCounted) {
        entry.watch = { counts, cancel: actor.onEnd(once) };
        return;
      }
      entry.watch = { counts: isCounted, cancel: () => actor.unwatch(entry) };
      actor.watch(entry, { ended: once });
      if (isTold() || again || !mayHaveEnded) return;
      // All watchers at the other end share this entry, which was told for another of them.
      isRepeated = actor.state === 'stopped';
      actor.unwatch(entry);
      actor.watch(entry, { ended: once });
      isRepeated = false;
    } catch (error) {
      once({ path: entry.ref.path, reason: { kind: 'error', error: toEnvelope(error) } });
    }
  }

  unwatch(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.watch?.cancel();
    entry.watch = undefined;
  }

  /** Ends an actor. @param failed told if that is no actor that can be ended */
  stop(id: number, timeoutMs: number | undefined, failed: (path: string, error: unknown) => void): void {
    const ref = this.get(id);
    if (ref === undefined) return;
    try {
      void addresseeOf(ref).shutdown(timeoutMs);
    } catch (error) {
      failed(ref.path, error);
    }
  }

  /** The other end is gone. Whoever waits for a reply from it gets `error`, here or elsewhere. */
  close(error: Error): void {
    for (const entry of [...this.#entries.values()]) {
      this.#forget(entry);
      if (entry.ref instanceof ReplyRef || entry.ref instanceof RemoteReplyRef) entry.ref.fail(error);
    }
  }

  #add(ref: Ref<never>): Entry {
    const entry: Entry = { id: this.#nextId++, ref, mentions: 0, watch: undefined, forgotten: undefined };
    this.#entries.set(entry.id, entry);
    this.#ids.set(ref, entry.id);
    return entry;
  }

  #settled(entry: Entry, { hasReply }: ReplyRef<never>): void {
    this.#forget(entry);
    if (!hasReply) return;
    this.#replied[this.#repliedCount % REPLIED_KEPT] = entry.id;
    this.#repliedCount += 1;
  }

  #forget(entry: Entry): void {
    entry.watch?.cancel();
    entry.forgotten?.();
    this.#entries.delete(entry.id);
    // One that the other end has bound may be sent to it under a number of ours, too.
    if (this.#ids.get(entry.ref) === entry.id) this.#ids.delete(entry.ref);
  }
}
