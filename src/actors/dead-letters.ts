import type { ErrorEnvelope } from '../errors.ts';
import { COUNT, checkOptions, FUNCTION } from './checks.ts';

/** Why a message was not delivered. */
export type Undelivered =
  /** The receiver had ended, or ended before it handled the message. */
  | 'stopped'
  /** It was on its way to or from a thread or a host that was lost, or waited there. */
  | 'lost'
  /** The overflow rule `fail` or `backpressure` refused it. */
  | 'mailbox-full'
  /** The overflow rule `drop-oldest` or `drop-newest` dropped it. */
  | 'dropped'
  /** It was offered, and its time was up, or its sender gave it up, before there was room. */
  | 'given-up'
  /** The receiver had put aside as many messages as it may. */
  | 'stash-full'
  /** It replied to an ask that had failed, at its deadline for example. */
  | 'late-reply'
  /** It replied to an ask that had its reply. */
  | 'second-reply'
  /** The receiver cannot take such a message: `error` says why, such as that it cannot cross to another thread. */
  | 'invalid'
  /** Nobody has subscribed to the topic, or to messages of that kind. */
  | 'no-subscriber';

export interface DeadLetter {
  /** The path of the sender; `-` if it was sent outside of an actor's turn, or after an `await` in one. */
  readonly from: string;
  readonly to: string;
  readonly message: unknown;
  readonly why: Undelivered;
  /** Why it is `invalid`. */
  readonly error?: ErrorEnvelope;
  /** How many messages it stands for, if it is more than one: those of another thread that only their number is known of. */
  readonly count?: number;
}

const RULES = { keepMax: COUNT, listener: FUNCTION };

/** The latest dead letters and the count of all. Only so many are kept, because there is no limit to them. */
export class DeadLetters {
  #latest: DeadLetter[] = [];
  #count = 0;
  readonly #keepMax: number;
  readonly #listener: ((letter: DeadLetter) => void) | undefined;
  /** What the listener was told. If it sends that to an actor that is gone, it is not told again. */
  readonly #told = new WeakSet<DeadLetter>();
  #isTelling = false;

  constructor(options: { keepMax?: number; listener?: (letter: DeadLetter) => void } = {}) {
    checkOptions('dead letters', options, RULES);
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
    this.#count += letter.count ?? 1;
    this.#latest.push(letter);
    if (this.#latest.length > this.#keepMax) this.#latest.shift();
    this.#tell(letter);
  }

  /**
   * A listener may itself make dead letters, for example with an actor for them that is gone. If it were told of
   * these too, it would never end.
   */
  #tell(letter: DeadLetter): void {
    if (this.#listener === undefined || this.#isTelling || this.#isTold(letter.message)) return;
    this.#told.add(letter);
    this.#isTelling = true;
    try {
      this.#listener(letter);
    } finally {
      this.#isTelling = false;
    }
  }

  #isTold(message: unknown): boolean {
    // Whatever it is, only dead letters are in that set.
    return typeof message === 'object' && message !== null && this.#told.has(message as DeadLetter);
  }
}
