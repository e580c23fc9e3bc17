/** Those who wait for room, in their order. Whoever gives up leaves nothing behind. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  /** Calls `wake` once, when there is room. @returns how to cancel it */
  add(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
