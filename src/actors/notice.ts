import type { Sender } from './mailbox.ts';

/**
 * The sender of what an actor sends itself through a timer or a watch. Once the actor has cancelled that, it no longer
 * wants the messages that wait already: they are passed over.
 */
export class Notice<O extends Sender = Sender> implements Sender {
  protected readonly owner: O;
  #state: 'unsent' | 'sent' | 'stashed' | 'revoked' = 'unsent';

  constructor(owner: O) {
    this.owner = owner;
  }

  /** A message of it may be waiting. */
  get isSent(): boolean {
    return this.#state !== 'unsent';
  }

  /** A message of it was put aside, and may be handled later than those that came after it. */
  get wasStashed(): boolean {
    return this.#state === 'stashed';
  }

  get isRevoked(): boolean {
    return this.#state === 'revoked';
  }

  markSent(): void {
    if (this.#state === 'unsent') this.#state = 'sent';
  }

  markStashed(): void {
    if (!this.isRevoked) this.#state = 'stashed';
  }

  revoke(): void {
    this.#state = 'revoked';
  }

  get path(): string {
    return this.owner.path;
  }
}

/**
 * Whether a message is of a timer or a watch of its receiver. Those end with the receiver, as if it had cancelled them,
 * so a message that still waits then is no dead letter.
 */
export function isNotice(sender: Sender | undefined): boolean {
  return sender instanceof Notice;
}

export function isRevoked(sender: Sender | undefined): boolean {
  return sender instanceof Notice && sender.isRevoked;
}
