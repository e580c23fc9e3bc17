import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import type { CancelTimer, Clock } from '../../actors/mod.ts';
import { FrameType, NO_BYTES } from '../link/frame.ts';
import { FrameWriter } from '../link/frame-writer.ts';
import type { CloseListener, GuestConnection } from '../port.ts';

/** Unsent bytes beyond which `write` asks to wait. */
const UNSENT_BYTES_MAX = 1024 * 1024;
/** From the attempt to the guest's answer. QEMU serves one client; another one waits until that is gone. */
const OPEN_TIMEOUT_MS = 3_000;
const NONCE_BYTES = 16;

/**
 * A connection over a virtio-serial port, which QEMU offers as a UNIX socket. A port is one stream for all of its
 * connections, and a guest learns of their ends beside the bytes. So a connection begins with an opening, a ping whose
 * token is the VM's key; it is open once the pong is there, and what comes before that belongs to an earlier connection.
 */
export class PortConnection implements GuestConnection {
  readonly isAnsweredOpen = true;
  readonly #socket: Socket;
  readonly #answer: Buffer;
  #onOpen: () => void = () => undefined;
  #onBytes: (bytes: Uint8Array) => void = () => undefined;
  #isOpen = false;
  /** The end of what has come before the answer. */
  #before: Uint8Array = NO_BYTES;
  /** Written before the connection was open. */
  #early: Uint8Array[] = [];
  readonly #cancelTimer: CancelTimer;
  #why: string | undefined;

  /** @param key that the guest was told */
  constructor(path: string, key: string, clock: Clock) {
    const nonce = randomBytes(NONCE_BYTES);
    this.#answer = frame(FrameType.pong, key, nonce);
    const options = { path, writableHighWaterMark: UNSENT_BYTES_MAX };
    this.#socket = createConnection(options);
    this.#cancelTimer = clock.timer(OPEN_TIMEOUT_MS, () => {
      this.#why ??= `the guest has not opened its port within ${OPEN_TIMEOUT_MS} ms`;
      this.#socket.destroy();
    });
    // In one piece, which QEMU hands on as the beginning of a buffer.
    this.#socket.once('connect', () => this.#socket.write(frame(FrameType.ping, key, nonce)));
    this.#socket.on('data', (bytes) => this.#received(bytes));
    this.#socket.once('close', this.#cancelTimer);
    this.#socket.once('error', (error) => {
      this.#why ??= error.message;
    });
    this.#socket.once('end', () => {
      this.#why ??= 'QEMU closed the port';
    });
  }

  onOpen(listener: () => void): void {
    this.#onOpen = listener;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
  }

  onClose(listener: CloseListener): void {
    this.#socket.once('close', () => listener(this.#why ?? 'the connection was closed', this.#socket.readableEnded));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOpen) return this.#socket.write(bytes);
    this.#early.push(bytes);
    return true;
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  close(): void {
    this.#why ??= 'closed by us';
    this.#socket.destroy();
  }

  #received(bytes: Uint8Array): void {
    if (this.#isOpen) {
      this.#onBytes(bytes);
      return;
    }
    const all = Buffer.concat([this.#before, bytes]);
    const at = all.indexOf(this.#answer);
    if (at < 0) {
      // No more than may be the beginning of the answer, however much a guest says.
      this.#before = all.subarray(Math.max(0, all.length - this.#answer.length + 1));
      return;
    }
    this.#opened();
    const rest = all.subarray(at + this.#answer.length);
    if (rest.length > 0) this.#onBytes(rest);
  }

  #opened(): void {
    this.#isOpen = true;
    this.#before = NO_BYTES;
    this.#cancelTimer();
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) this.#socket.write(bytes);
    this.#onOpen();
  }
}

function frame(type: FrameType, key: string, nonce: Uint8Array): Buffer {
  const writer = new FrameWriter();
  writer.append(type, 0, 0, NO_BYTES, Buffer.from(key), nonce);
  return Buffer.concat(writer.take());
}
