import type { Sender } from './mailbox.ts';

/**
 * The sender of what an actor sends itself through a timer or a watch. Once the actor has cancelled that, it no longer
 * wants the messages that wait already: they are passed over.
 */
export class Notice implements Sender {
  readonly #owner: Sender;
  /** A message of it may be waiting. */
  isSent = false;
  isRevoked = false;
  /** A message of it was put aside, and may be handled later than those that came after it. */
  wasStashed = false;

  constructor(owner: Sender) {
    this.#owner = owner;
  }

  get path(): string {
    return this.#owner.path;
  }
}

export function isRevoked(sender: Sender | undefined): boolean {
  return sender instanceof Notice && sender.isRevoked;
}
