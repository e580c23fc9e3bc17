import type { Ref } from './ref.ts';

/** Takes the reply to an ask: the first one, or none once the ask has failed. */
export class ReplyRef<R> implements Ref<R> {
  readonly path: string;
  readonly #resolve: (reply: R) => void;
  readonly #reject: (error: unknown) => void;
  #settled = false;
  #listeners: (() => void)[] = [];

  constructor(path: string, resolve: (reply: R) => void, reject: (error: unknown) => void) {
    this.path = path;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  tell(reply: R): boolean {
    return this.#settle(() => this.#resolve(reply));
  }

  /** No reply will come. */
  fail(error: unknown): boolean {
    return this.#settle(() => this.#reject(error));
  }

  /** Calls `listener` when the ask has its reply or has failed, at once if that is so already. */
  onSettled(listener: () => void): void {
    if (this.#settled) listener();
    else this.#listeners.push(listener);
  }

  #settle(finish: () => void): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
    finish();
    return true;
  }
}
