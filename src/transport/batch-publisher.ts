import type { NatsConnection } from 'nats';
import type { EncodedHeaders } from './encoded-headers.ts';

interface Message {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: EncodedHeaders;
}

/**
 * Messages that leave together at the end of this round of the event loop. nats.js makes one write of what is published in one callback,
 * and each VM's replies come in a callback of their own; each write costs the server and the client as much again as it costs us.
 */
export class BatchPublisher {
  readonly #nc: NatsConnection;
  readonly #onUnsent: () => void;
  readonly #flush = (): void => this.flush();
  #messages: Message[] = [];

  /** @param onUnsent called for each message that the connection does not take: it is closed, or closing */
  constructor(nc: NatsConnection, onUnsent: () => void) {
    this.#nc = nc;
    this.#onUnsent = onUnsent;
  }

  publish(subject: string, payload: Uint8Array, headers: EncodedHeaders): void {
    if (this.#messages.push({ subject, payload, headers }) === 1) setImmediate(this.#flush);
  }

  /** Publishes what is there now. */
  flush(): void {
    const messages = this.#messages;
    this.#messages = [];
    for (const message of messages) {
      try {
        this.#nc.publish(message.subject, message.payload, message);
      } catch {
        this.#onUnsent();
      }
    }
  }
}
