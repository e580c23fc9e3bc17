import { ShoalError } from '../errors.ts';
import type { Sender } from './mailbox.ts';

export interface Stashed<M> {
  readonly message: M;
  readonly sender: Sender | undefined;
}

/** Messages that an actor has put aside for later. */
export class Stash<M> {
  readonly #path: string;
  readonly #capacity: number;
  #kept: Stashed<M>[] = [];

  constructor(path: string, capacity: number) {
    this.#path = path;
    this.#capacity = capacity;
  }

  get isFull(): boolean {
    return this.#kept.length >= this.#capacity;
  }

  add(message: M, sender: Sender | undefined): void {
    this.#kept.push({ message, sender });
  }

  fullError(): ShoalError {
    return new ShoalError(
      'ACTOR_STASH_FULL',
      `${this.#path} has put ${this.#capacity} messages aside, as many as its mailbox holds; unstash them or raise \`capacity\``,
      { details: { capacity: this.#capacity } },
    );
  }

  /** Takes everything out, in the order in which it came. */
  takeAll(): readonly Stashed<M>[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }
}
