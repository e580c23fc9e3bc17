import type { OnReadOpts, Socket } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import { connectUnix } from './unix-socket.ts';

/** What a line takes to be printed, a byte at a time. */
const LINE_MS = 5;
const BURST_BYTES = 150;
const BURST_MS = 100;
/** Local sockets of a process that is gone end at once; this is for the case that somebody else holds the other end. */
const CLOSE_MS = 500;
/** Input that the guest does not read stays in our memory; commands to it are some bytes a life. */
const INPUT_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;

/** All consoles are read into it: what was read is handed on before anything else is. */
const READ_BUFFER = new Uint8Array(16 * 1024);

/**
 * The serial console of a VM. It is read whether somebody listens or not: one that is not read stalls its guest. The bytes are the
 * listener's only until it returns.
 */
export class ConsoleStream {
  readonly #clock: Clock;
  #socket: Socket | undefined;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;
  #unhurried = false;
  #restlessUntilMs = 0;

  /** @throws QMP_TIMEOUT */
  static async open(path: string, timeoutMs: number, clock: Clock, goOn: () => boolean): Promise<ConsoleStream> {
    const stream = new ConsoleStream(clock);
    stream.#socket = await connectUnix(path, timeoutMs, clock, goOn, stream.#reader());
    return stream;
  }

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
  }

  /** From now on a line is as good some milliseconds later. */
  unhurried(): void {
    this.#unhurried = true;
  }

  write(text: string): void {
    if (this.#socket !== undefined && this.#socket.writableLength < INPUT_BYTES_MAX) this.#socket.write(text);
  }

  /** The process is gone: resolves when what it printed last (the guest's `bye`) has been read. */
  readToEnd(): Promise<void> {
    this.#unhurried = false;
    const socket = this.#socket;
    if (socket === undefined || socket.closed || socket.destroyed) return Promise.resolve();
    socket.resume();
    return new Promise((resolve) => {
      const cancel = this.#clock.timer(CLOSE_MS, resolve);
      socket.once('close', () => {
        cancel();
        resolve();
      });
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #reader(): OnReadOpts {
    return {
      buffer: READ_BUFFER,
      callback: (length) => {
        this.#onBytes?.(READ_BUFFER.subarray(0, length));
        return !this.#unhurried || this.#readsOn(length);
      },
    };
  }

  /**
   * QEMU writes each byte of the serial line by itself: reading them as they come would wake us a hundred times a line, so the rest of a
   * line that has begun is waited for. But the socket holds few hundred such writes, and the guest stalls beyond: whoever prints much is
   * read without rest for a while.
   */
  #readsOn(length: number): boolean {
    // Each line of the contract begins with a newline as well.
    if (length > 1 && READ_BUFFER[length - 1] === NEWLINE) return true;
    const nowMs = this.#clock.monotonic();
    if (length >= BURST_BYTES) this.#restlessUntilMs = nowMs + BURST_MS;
    if (nowMs < this.#restlessUntilMs) return true;
    this.#clock.timer(LINE_MS, () => this.#socket?.resume());
    return false;
  }
}
