/** Nothing arrives for so long: the rest is lost. A million actors on a busy machine need a part of it. */
const STALLED_MS = 15_000;

/** Counts the messages that arrive. A round in which fewer or more arrive than were sent makes no figure. */
export class Arrivals {
  #arrived = 0;
  #sent = 0;
  #all = (): void => undefined;

  /** Of the receivers. A closure for each arrival would add to the figure, so this is bound once. */
  readonly arrive = (): void => {
    this.#arrived += 1;
    if (this.#arrived === this.#sent) this.#all();
  };

  /** Resolves when `count` messages have arrived, which `send` sends. @throws Error if fewer or more arrive */
  async round(count: number, send: () => void | Promise<void>): Promise<void> {
    this.#sent += count;
    const { promise: all, resolve } = Promise.withResolvers<void>();
    this.#all = resolve;
    const stopLooking = this.#whenStalled(resolve);
    try {
      await send();
      await all;
    } finally {
      stopLooking();
    }
    // A message that arrives twice comes behind the others.
    await new Promise((resume) => setImmediate(resume));
    if (this.#arrived !== this.#sent) throw lost(this.#sent, this.#arrived);
  }

  #whenStalled(stalled: () => void): () => void {
    let before = this.#arrived;
    const timer = setInterval(() => {
      if (this.#arrived === before) stalled();
      before = this.#arrived;
    }, STALLED_MS);
    return () => clearInterval(timer);
  }
}

export function lost(sent: number, completed: number): Error {
  return new Error(`${sent} were sent and ${completed} completed, so there is no figure`);
}
