import type { Addressee } from './addressee.ts';
import type { EndListener } from './ends.ts';
import type { Incarnation } from './incarnation.ts';
import type { Exit, Ref } from './ref.ts';

/**
 * A second address of an actor, for messages of another protocol: each is made one of the actor's own as it is sent.
 * It belongs to one incarnation and ends with it.
 */
export class Adapter<A, M> implements Ref<A>, Addressee {
  readonly #life: Incarnation<M>;
  readonly #toMessage: (message: A) => M;
  /** How to cancel each watch, by the watcher: one may watch both the actor and its adapters. */
  readonly #watches = new Map<object, () => void>();
  /** Those that were told of the end. There is no other. */
  readonly #told = new WeakSet<object>();

  constructor(life: Incarnation<M>, toMessage: (message: A) => M) {
    this.#life = life;
    this.#toMessage = toMessage;
  }

  get path(): string {
    return this.#life.path;
  }

  get state(): 'starting' | 'running' | 'stopping' | 'stopped' {
    return this.#life.state === 'stopped' ? 'stopped' : this.#life.cell.state;
  }

  get depth(): number {
    return this.#life.cell.depth;
  }

  get capacity(): number {
    return this.#life.cell.capacity;
  }

  tell(message: A): boolean {
    const own = this.#adapted(message);
    return own !== undefined && this.#life.cell.take(own.message, this.#life.cell.kernel.current);
  }

  offer(message: A, signal?: AbortSignal): Promise<boolean> {
    const own = this.#adapted(message);
    return own === undefined ? Promise.resolve(false) : this.#life.cell.offer(own.message, signal);
  }

  watch(watcher: object, listener: EndListener): void {
    if (this.#told.has(watcher)) return;
    this.unwatch(watcher);
    if (this.#life.state === 'stopped') {
      this.#told.add(watcher);
      listener.ended({ path: this.path, reason: this.#life.endReason ?? { kind: 'normal' } });
      return;
    }
    const cancel = this.onEnd((exit) => {
      this.#watches.delete(watcher);
      this.#told.add(watcher);
      listener.ended(exit);
    });
    this.#watches.set(watcher, cancel);
  }

  unwatch(watcher: object): void {
    this.#watches.get(watcher)?.();
    this.#watches.delete(watcher);
    this.#told.delete(watcher);
  }

  onEnd(listener: (exit: Exit) => void): () => void {
    return this.#life.state === 'stopped' ? () => undefined : this.#life.cell.onEnd(listener);
  }

  shutdown(timeoutMs?: number): Promise<void> {
    return this.#life.state === 'stopped' ? Promise.resolve() : this.#life.cell.shutdown(timeoutMs);
  }

  /** @returns undefined if the message has become a dead letter */
  #adapted(message: A): { readonly message: M } | undefined {
    const life = this.#life;
    if (life.isEnding) return this.#refused(message);
    try {
      return { message: this.#toMessage(message) };
    } catch (error) {
      // As with a handler that throws, the actor has failed.
      life.fail(error);
      return this.#refused(message);
    }
  }

  #refused(message: A): undefined {
    const { deadLetters, current } = this.#life.cell.kernel;
    deadLetters.add({ from: current?.path ?? '-', to: this.path, message, why: 'stopped' });
  }
}
