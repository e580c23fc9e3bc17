import type { Kernel } from './kernel.ts';
import type { Ref } from './ref.ts';

/** Takes the first reply to an ask. A reply that comes later, or after the ask has failed, is a dead letter. */
export class ReplyRef<R> implements Ref<R> {
  readonly #kernel: Pick<Kernel, 'current' | 'deadLetters'>;
  readonly #asked: { readonly path: string };
  readonly #resolve: (reply: R) => void;
  readonly #reject: (error: unknown) => void;
  #outcome: 'replied' | 'failed' | undefined;
  #listeners: (() => void)[] = [];

  constructor(
    kernel: Pick<Kernel, 'current' | 'deadLetters'>,
    asked: { readonly path: string },
    resolve: (reply: R) => void,
    reject: (error: unknown) => void,
  ) {
    this.#kernel = kernel;
    this.#asked = asked;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Worked out when it is asked for: that happens in few asks. */
  get path(): string {
    return `${this.#asked.path}?`;
  }

  tell(reply: R): boolean {
    if (this.#outcome !== undefined) return this.#refuse(reply);
    this.#settle('replied');
    this.#resolve(reply);
    return true;
  }

  /** No reply will come. @returns false if there is one already, or the ask has failed before */
  fail(error: unknown): boolean {
    if (this.#outcome !== undefined) return false;
    this.#settle('failed');
    this.#reject(error);
    return true;
  }

  /** Calls `listener` when the ask has its reply or has failed, at once if that is so already. */
  onSettled(listener: () => void): void {
    if (this.#outcome !== undefined) listener();
    else this.#listeners.push(listener);
  }

  #settle(outcome: 'replied' | 'failed'): void {
    this.#outcome = outcome;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  #refuse(reply: R): false {
    const { current, deadLetters } = this.#kernel;
    const why = this.#outcome === 'replied' ? 'second-reply' : 'late-reply';
    deadLetters.add({ from: current?.path ?? '-', to: this.path, message: reply, why });
    return false;
  }
}
