import { ShoalError } from '../errors.ts';
import type { Sender } from './mailbox.ts';

/** Messages that an actor has put aside for later. */
export class Stash<M> {
  readonly #path: string;
  readonly #capacity: number;
  #kept: { readonly message: M; readonly sender: Sender | undefined }[] = [];

  constructor(path: string, capacity: number) {
    this.#path = path;
    this.#capacity = capacity;
  }

  /** @throws ACTOR_STASH_FULL */
  add(message: M, sender: Sender | undefined): void {
    if (this.#kept.length >= this.#capacity) {
      throw new ShoalError(
        'ACTOR_STASH_FULL',
        `${this.#path} has put ${this.#capacity} messages aside, as many as its mailbox holds; unstash them or raise \`capacity\``,
        { details: { capacity: this.#capacity } },
      );
    }
    this.#kept.push({ message, sender });
  }

  /** Takes everything out, the latest first. */
  empty(take: (message: M, sender: Sender | undefined) => void): void {
    const kept = this.#kept;
    this.#kept = [];
    for (const { message, sender } of kept.reverse()) take(message, sender);
  }
}
