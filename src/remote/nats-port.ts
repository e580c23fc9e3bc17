import { checked, objectWith } from '../actors/mod.ts';
import type { HostPort } from './port.ts';

/** The part of a connection of the package `nats` that hosts use. This folder does not load that package. */
export interface NatsLike {
  readonly info?: { readonly max_payload: number } | undefined;
  isClosed(): boolean;
  closed(): Promise<unknown>;
  publish(subject: string, bytes: Uint8Array): void;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: { readonly data: Uint8Array }) => void },
  ): { unsubscribe(): void };
  status(): AsyncIterable<{
    readonly type: string;
    /** Of an error: what the server has refused. */
    readonly permissionContext?: { readonly operation: string; readonly subject: string } | undefined;
  }>;
}

const CONNECTION = objectWith('isClosed', 'closed', 'publish', 'subscribe', 'status');

/**
 * Joins hosts over a connection to NATS: `joinHosts({ port: natsPort(await connect({ servers })), ... })`.
 * @throws CONFIG_VALUE
 */
export function natsPort(nc: NatsLike): HostPort {
  return new NatsHostPort(checked('connection', nc, CONNECTION));
}

class NatsHostPort implements HostPort {
  readonly #nc: NatsLike;
  readonly #listeners = new Set<(isConnected: boolean) => void>();
  readonly #refusalListeners = new Set<(subject: string, why: string) => void>();
  #isConnected = true;

  constructor(nc: NatsLike) {
    this.#nc = nc;
    void this.#follow();
    void nc.closed().then(() => this.#set(false));
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.#nc.isClosed();
  }

  get payloadBytesMax(): number {
    // A connection that has been made has the server's greeting.
    return this.#nc.info?.max_payload ?? PAYLOAD_BYTES_MAX;
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#nc.publish(subject, bytes);
  }

  subscribe(subject: string, onMessage: (bytes: Uint8Array) => void): () => void {
    const subscription = this.#nc.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onMessage(message.data);
        else this.#refused(subject, error.message);
      },
    });
    return () => subscription.unsubscribe();
  }

  onState(listener: (isConnected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onRefused(listener: (subject: string, why: string) => void): () => void {
    this.#refusalListeners.add(listener);
    return () => this.#refusalListeners.delete(listener);
  }

  #refused(subject: string, why: string): void {
    for (const tell of [...this.#refusalListeners]) tell(subject, why);
  }

  async #follow(): Promise<void> {
    for await (const { type, permissionContext } of this.#nc.status()) {
      // A refused subscription is told to that itself.
      if (type === 'error' && permissionContext?.operation === 'publish') {
        this.#refused(permissionContext.subject, 'permissions violation for publish');
      }
      if (type === 'disconnect') this.#set(false);
      else if (type === 'reconnect') this.#set(true);
    }
  }

  #set(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return;
    this.#isConnected = isConnected;
    for (const tell of [...this.#listeners]) tell(isConnected);
  }
}

const PAYLOAD_BYTES_MAX = 1024 * 1024;
