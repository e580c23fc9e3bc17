/** Why a message reached nobody. */
export type Undelivered = 'stopped' | 'mailbox-full' | 'dropped';

export interface DeadLetter {
  /** The path of the actor whose turn it was, or `-` when the sender was no actor. */
  readonly from: string;
  readonly to: string;
  readonly message: unknown;
  readonly why: Undelivered;
}

/** The latest dead letters and the count of all: bounded, because a dead receiver can be sent to for ever. */
export class DeadLetters {
  #latest: DeadLetter[] = [];
  #count = 0;
  readonly #keepMax: number;
  readonly #listener: ((letter: DeadLetter) => void) | undefined;

  constructor(options: { keepMax?: number; listener?: (letter: DeadLetter) => void } = {}) {
    this.#keepMax = options.keepMax ?? 100;
    this.#listener = options.listener;
  }

  get count(): number {
    return this.#count;
  }

  latest(): readonly DeadLetter[] {
    return this.#latest;
  }

  add(letter: DeadLetter): void {
    this.#count += 1;
    this.#latest.push(letter);
    if (this.#latest.length > this.#keepMax) this.#latest.shift();
    this.#listener?.(letter);
  }
}
