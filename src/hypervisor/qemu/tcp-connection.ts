import { createConnection, type Socket } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import type { Address } from '../../fleet/mod.ts';
import type { CloseListener, GuestConnection } from '../port.ts';

/** Unsent bytes beyond which `write` asks to wait. */
const UNSENT_BYTES_MAX = 1024 * 1024;
/** A local address neither accepts nor refuses while its backlog of one is full. */
const CONNECT_TIMEOUT_MS = 3_000;

export class TcpConnection implements GuestConnection {
  readonly #socket: Socket;
  #why: string | undefined;

  constructor({ ip, port }: Address, clock: Clock) {
    // A duplex stream takes the high-water mark of its writable side too, though the type of these options does not
    // list it.
    const options = { host: ip, port, noDelay: true, writableHighWaterMark: UNSENT_BYTES_MAX };
    this.#socket = createConnection(options);
    const cancel = clock.timer(CONNECT_TIMEOUT_MS, () => this.#fail(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
    this.#socket.once('connect', cancel);
    this.#socket.once('close', cancel);
    this.#socket.once('error', (error) => {
      this.#why ??= error.message;
    });
    this.#socket.once('end', () => {
      this.#why ??= 'the guest closed the connection';
    });
  }

  onOpen(listener: () => void): void {
    this.#socket.once('connect', listener);
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#socket.on('data', listener);
  }

  onClose(listener: CloseListener): void {
    this.#socket.once('close', () => listener(this.#why ?? 'the connection was closed', this.#socket.readableEnded));
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  close(): void {
    this.#why ??= 'closed by us';
    this.#socket.destroy();
  }

  #fail(why: string): void {
    this.#why ??= why;
    this.#socket.destroy();
  }
}
