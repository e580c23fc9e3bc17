import type { Exit, Ref } from '../ref.ts';

/** What it takes to be told of the ends of others. */
interface Watching<M> {
  watch(other: Ref<never>, toMessage: (exit: Exit) => M): void;
  unwatch(other: Ref<never>): void;
}

/** The refs of living actors, each with a value. Whoever ends is to be deleted at the message `ended`. */
export class WatchedRefs<M, V> {
  readonly #values = new Map<Ref<never>, V>();
  readonly #context: Watching<M>;
  readonly #ended: (ref: Ref<never>) => M;

  constructor(context: Watching<M>, ended: (ref: Ref<never>) => M) {
    this.#context = context;
    this.#ended = ended;
  }

  get size(): number {
    return this.#values.size;
  }

  get(ref: Ref<never>): V | undefined {
    return this.#values.get(ref);
  }

  entries(): Iterable<[Ref<never>, V]> {
    return this.#values;
  }

  set(ref: Ref<never>, value: V): void {
    if (!this.#values.has(ref)) this.#context.watch(ref, () => this.#ended(ref));
    this.#values.set(ref, value);
  }

  delete(ref: Ref<never>): void {
    if (this.#values.delete(ref)) this.#context.unwatch(ref);
  }
}
