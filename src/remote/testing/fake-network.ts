import type { HostPort } from '../port.ts';

interface Subscription {
  readonly port: FakePort;
  readonly subject: string;
  readonly onMessage: (bytes: Uint8Array) => void;
}

export interface Carried {
  readonly from: FakePort;
  readonly to: FakePort;
  readonly subject: string;
  readonly bytes: Uint8Array;
}

/** Subjects in memory. What is published is carried when a test says so; on the way a test may change what arrives. */
export class FakeNetwork {
  readonly #subscriptions = new Set<Subscription>();
  readonly #queue: Carried[] = [];
  payloadBytesMax = 1024 * 1024;
  /** How often a message arrives: 0 loses it, 2 doubles it. */
  copies: (message: Carried) => number = () => 1;
  /** Told of all that arrives. */
  onCarried: (message: Carried) => void = () => undefined;

  get pending(): number {
    return this.#queue.length;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  port(name: string): FakePort {
    return new FakePort(name, this);
  }

  add(subscription: Subscription): () => void {
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  publish(from: FakePort, subject: string, bytes: Uint8Array): void {
    for (const { port: to, subject: wanted } of this.#subscriptions) {
      if (wanted === subject) this.#queue.push({ from, to, subject, bytes });
    }
  }

  /** Sends bytes to whoever listens, as anybody on the server can. */
  inject(subject: string, bytes: Uint8Array): void {
    for (const { subject: wanted, onMessage } of [...this.#subscriptions]) if (wanted === subject) onMessage(bytes);
  }

  /** Carries all that was published so far. */
  carry(): void {
    for (const message of this.#queue.splice(0)) {
      for (let copy = 0; copy < this.copies(message); copy++) {
        if (!message.to.isConnected) continue;
        this.onCarried(message);
        for (const { port, subject, onMessage } of [...this.#subscriptions]) {
          if (port === message.to && subject === message.subject) onMessage(asReceived(message.bytes));
        }
      }
    }
  }
}

/** As the package `nats` delivers it: a `Buffer` that is a part of a larger one. */
export function asReceived(bytes: Uint8Array): Buffer {
  const pool = Buffer.alloc(bytes.length + 20, 0xee);
  pool.set(bytes, 7);
  return pool.subarray(7, 7 + bytes.length);
}

export class FakePort implements HostPort {
  readonly name: string;
  readonly #network: FakeNetwork;
  readonly #listeners = new Set<(isConnected: boolean) => void>();
  isConnected = true;
  /** The server refuses a subject to this host. */
  refused: (subject: string, why: string) => void = () => undefined;

  constructor(name: string, network: FakeNetwork) {
    this.name = name;
    this.#network = network;
  }

  get payloadBytesMax(): number {
    return this.#network.payloadBytesMax;
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (!this.isConnected) throw new Error('published while the connection was lost');
    if (bytes.length > this.payloadBytesMax) throw new Error(`published ${bytes.length} bytes`);
    this.#network.publish(this, subject, bytes);
  }

  subscribe(subject: string, onMessage: (bytes: Uint8Array) => void): () => void {
    return this.#network.add({ port: this, subject, onMessage });
  }

  onState(listener: (isConnected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onRefused(listener: (subject: string, why: string) => void): () => void {
    this.refused = listener;
    return () => {
      this.refused = () => undefined;
    };
  }

  setConnected(isConnected: boolean): void {
    this.isConnected = isConnected;
    for (const tell of [...this.#listeners]) tell(isConnected);
  }
}
