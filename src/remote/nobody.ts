import type { ActorSystem, Addressee, EndListener, Exit, ExitReason, Ref } from '../actors/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';

/** A ref that leads to no actor. */
export function deadEnd(path: string, error: Error, system: Pick<ActorSystem, 'deadLetters' | 'current'>): Ref<never> {
  return new Nobody(path, { kind: 'error', error: toEnvelope(error) }, (to, message) => {
    system.deadLetters.add({ from: system.current ?? '-', to, message, why: 'stopped' });
    return false;
  });
}

export function unknownActor(name: string): ShoalError {
  const text = `The host exposes no actor named "${name}". Call \`expose\` there before others ask for it`;
  return new ShoalError('HOST_ACTOR_UNKNOWN', text, { details: { name } });
}

/** Its messages are dead letters, and whoever watches it or asks is told so at once. */
class Nobody implements Ref<never>, Addressee {
  readonly path: string;
  readonly state = 'stopped';
  readonly depth = 0;
  readonly #reason: ExitReason;
  readonly #refuse: (path: string, message: unknown) => false;
  readonly #told = new WeakSet<object>();

  constructor(path: string, reason: ExitReason, refuse: (path: string, message: unknown) => false) {
    this.path = path;
    this.#reason = reason;
    this.#refuse = refuse;
  }

  tell(message: never): boolean {
    return this.#refuse(this.path, message);
  }

  async offer(message: never): Promise<boolean> {
    return this.tell(message);
  }

  watch(watcher: object, listener: EndListener): void {
    if (this.#told.has(watcher)) return;
    this.#told.add(watcher);
    listener.ended({ path: this.path, reason: this.#reason });
  }

  unwatch(watcher: object): void {
    this.#told.delete(watcher);
  }

  onEnd(listener: (exit: Exit) => void): () => void {
    listener({ path: this.path, reason: this.#reason });
    return () => undefined;
  }

  async shutdown(): Promise<void> {}
}
