import type { NatsConnection } from 'nats';
import type { Clock } from '../actors/mod.ts';
import type { Outcome } from '../fleet/mod.ts';
import { BatchPublisher } from './batch-publisher.ts';
import { errorHeaders, ReplyHeaders } from './reply-headers.ts';

export type Failure = Extract<Outcome, { ok: false }>;

const NO_BYTES = new Uint8Array(0);

/** Sends outcomes to clients, those of one round of the event loop together. Reply headers are encoded once per VM. */
export class ReplySender {
  readonly #nc: NatsConnection;
  readonly #headers = new ReplyHeaders();
  readonly #publisher: BatchPublisher;
  #maxPayloadBytes: number;

  /** @param onUnsent called for each reply that the connection refuses because it is closed or closing */
  constructor(nc: NatsConnection, clock: Clock, onUnsent: () => void) {
    this.#nc = nc;
    // The client runs into its deadline; without a connection nothing can be sent to it.
    this.#publisher = new BatchPublisher(nc, clock, onUnsent);
    this.#maxPayloadBytes = nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
  }

  /** @returns the error that was sent, if it was one */
  send(subject: string, outcome: Outcome): Failure | undefined {
    if (!outcome.ok) {
      this.sendError(subject, outcome);
      return outcome;
    }
    const headers = this.#headers.of(outcome.vm, outcome.host, outcome.contentType);
    const bytes = headers.byteLength + outcome.payload.length;
    // nats.js forgets it while it reconnects.
    this.#maxPayloadBytes = this.#nc.info?.max_payload ?? this.#maxPayloadBytes;
    if (bytes > this.#maxPayloadBytes) {
      const message = `the reply has ${bytes} bytes, and the NATS server takes ${this.#maxPayloadBytes}`;
      const { vm, host } = outcome;
      const failure: Failure = { ok: false, status: 413, reason: 'too-large', message, vm, host };
      this.sendError(subject, failure);
      return failure;
    }
    this.#publisher.publish(subject, outcome.payload, headers);
    return undefined;
  }

  sendError(subject: string, failure: Pick<Failure, 'status' | 'reason' | 'message' | 'vm' | 'host'>): void {
    this.#publisher.publish(subject, NO_BYTES, errorHeaders(failure));
  }

  /** Forgets what was collected and not sent. */
  discard(): void {
    this.#publisher.discard();
  }

  /** Sends all that was collected. */
  flush(): void {
    this.#publisher.flush();
  }
}
