import { ShoalError } from '../errors.ts';
import type { Cell } from './cell.ts';
import type { Letter } from './mailbox.ts';
import { isNotice, Notice } from './notice.ts';

/** Messages that an actor has put aside for later, at most as many as its mailbox may hold. */
export class Stash<M> {
  readonly #cell: Cell<M>;
  #kept: Letter<M>[] = [];

  constructor(cell: Cell<M>) {
    this.#cell = cell;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** Puts the message in hand aside. @throws ACTOR_STASH_FULL, ACTOR_STASHED_TWICE */
  put(message: M): void {
    const { capacity, path, senderInHand } = this.#cell;
    if (!this.#cell.marks.noteStashed()) {
      throw new ShoalError(
        'ACTOR_STASHED_TWICE',
        `${path} has put the message in hand aside already; stash each message once, and send others with \`tell\``,
      );
    }
    if (this.#kept.length < capacity) {
      if (senderInHand instanceof Notice) senderInHand.markStashed();
      this.#kept.push({ message, sender: senderInHand });
      return;
    }
    this.#cell.refuse(message, 'stash-full', senderInHand);
    throw new ShoalError(
      'ACTOR_STASH_FULL',
      `${path} has put ${capacity} messages aside, as many as its mailbox holds; unstash them or raise \`capacity\``,
      { details: { capacity } },
    );
  }

  /** Puts at most `count` of those that were put aside first back, each as `map` returns it. */
  putBack(count: number, map?: (message: M) => M): void {
    const oldest = this.#kept.slice(0, count);
    const letters = map === undefined ? oldest : oldest.map((letter) => ({ ...letter, message: map(letter.message) }));
    // Only now: if `map` throws, all of them stay aside.
    this.#kept = this.#kept.slice(letters.length);
    this.#cell.putBack(letters);
  }

  /** The actor ends: messages that are still aside become dead letters. */
  refuseAll(): void {
    for (const { message, sender } of this.#takeAll()) {
      if (!isNotice(sender)) this.#cell.refuse(message, 'stopped', sender);
    }
  }

  #takeAll(): readonly Letter<M>[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }
}
