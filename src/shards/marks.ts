import { Waiters } from '../refs/mod.ts';

/** The marks of the other end of a channel that have been reached, and who waits for those that have not. */
export class Marks {
  readonly #waiting = new Waiters();
  readonly #onAwaited = new Waiters();
  #reached = 0;
  #awaited = 0;
  #isOver = false;

  /** Whether somebody waits for a mark. */
  get isAwaited(): boolean {
    return !this.#isOver && this.#awaited > this.#reached;
  }

  /** Calls back when somebody begins to wait. @returns how to cancel it */
  onAwaited(callback: () => void): () => void {
    return this.#onAwaited.add(callback);
  }

  set(n: number): void {
    this.#reached = n;
    this.#waiting.wakeAll();
  }

  /** Resolves when the `n`-th has been reached, or none will be any more; undefined if that is so already. */
  reached(n: number): Promise<void> | undefined {
    if (this.#isOver || this.#reached >= n) return undefined;
    this.#awaited = Math.max(this.#awaited, n);
    this.#onAwaited.wakeAll();
    return this.#until(n);
  }

  /** There will be none any more. */
  close(): void {
    this.#isOver = true;
    this.#waiting.wakeAll();
  }

  async #until(n: number): Promise<void> {
    while (!this.#isOver && this.#reached < n) {
      await new Promise<void>((resolve) => void this.#waiting.add(resolve));
    }
  }
}
