import type { Sender } from './mailbox.ts';
import { isRevoked, type Notice } from './notice.ts';

/** What an actor must remember from one message to the next, while it stashes or has cancelled timers or watches. */
export class Marks {
  #isStashed = false;
  #mayHoldRevoked = false;

  /** The message in hand is stashed. @returns false if it was before */
  noteStashed(): boolean {
    const isFirst = !this.#isStashed;
    this.#isStashed = true;
    return isFirst;
  }

  /** The messages of `notice` that wait are not wanted any more. */
  revoke(notice: Notice): void {
    notice.revoke();
    this.#mayHoldRevoked = true;
  }

  /** The next message is about to be in hand. @returns whether the actor still wants it */
  next(sender: Sender | undefined): boolean {
    this.#isStashed = false;
    return !(this.#mayHoldRevoked && isRevoked(sender));
  }

  /** No message is in hand. @returns whether anything is still to be remembered */
  endTurn(hasMail: boolean): boolean {
    this.#isStashed = false;
    this.#mayHoldRevoked &&= hasMail;
    return this.#mayHoldRevoked;
  }
}
