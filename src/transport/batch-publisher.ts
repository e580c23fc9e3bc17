import type { NatsConnection } from 'nats';
import type { Clock } from '../actors/mod.ts';
import type { EncodedHeaders } from './encoded-headers.ts';

interface Message {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: EncodedHeaders;
}

/**
 * Collects messages and publishes them together at the end of this round of the event loop. nats.js makes one write per callback, and
 * the replies of each VM come in a callback of their own; every write costs the server and the client as much as it costs us.
 */
export class BatchPublisher {
  readonly #nc: NatsConnection;
  readonly #clock: Clock;
  readonly #onUnsent: () => void;
  readonly #flush = (): void => this.flush();
  #messages: Message[] = [];

  /** @param onUnsent called for each message that the connection refuses because it is closed or closing */
  constructor(nc: NatsConnection, clock: Clock, onUnsent: () => void) {
    this.#nc = nc;
    this.#clock = clock;
    this.#onUnsent = onUnsent;
  }

  publish(subject: string, payload: Uint8Array, headers: EncodedHeaders): void {
    if (this.#messages.push({ subject, payload, headers }) === 1) this.#clock.soon(this.#flush);
  }

  /** Forgets everything collected so far. */
  discard(): void {
    this.#messages = [];
  }

  /** Publishes everything collected so far. */
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
