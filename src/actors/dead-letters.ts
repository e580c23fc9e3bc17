/** Why a message was not delivered. */
export type Undelivered =
  /** The receiver had ended, or ended before it handled the message. */
  | 'stopped'
  /** The overflow rule `fail` or `backpressure` refused it. */
  | 'mailbox-full'
  /** The overflow rule `drop-oldest` or `drop-newest` dropped it. */
  | 'dropped'
  /** The receiver had put aside as many messages as it may. */
  | 'stash-full';

export interface DeadLetter {
  /** The path of the sender; `-` if it was sent outside of an actor's turn, or after an `await` in one. */
  readonly from: string;
  readonly to: string;
  readonly message: unknown;
  readonly why: Undelivered;
}

/** The latest dead letters and the count of all. Only so many are kept, because there is no limit to them. */
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
