/** Why a message reached nobody. */
export type Undelivered =
  /** Its receiver had ended, or ended before it took it. */
  | 'stopped'
  /** It was refused by the rule `fail` or `backpressure`. */
  | 'mailbox-full'
  /** It was dropped by one of the rules `drop-oldest` and `drop-newest`. */
  | 'dropped'
  /** Its receiver had put as many messages aside as it may. */
  | 'stash-full';

export interface DeadLetter {
  /** The path of the actor whose turn it was, or `-`: no actor's turn, or after an `await` in one. */
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
