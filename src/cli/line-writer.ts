import { write } from 'node:fs';
import { type Clock, systemClock } from '../actors/mod.ts';
import { codeOf } from '../errors.ts';

/** Memory for lines that wait for a slow reader. Further lines are left out and counted. */
const WAITING_BYTES_MAX = 256 * 1024;
/** A full pipe refuses a write, and no event tells when it has room. */
const FULL_RETRY_MS = 50;

export type Write = (fd: number, bytes: Uint8Array, done: (error: Error | null, written: number) => void) => void;

/**
 * Prints lines without ever holding up or ending the program: on a full disk, to a closed pipe, on a terminal that stands still. Writes happen
 * on a thread of Node's pool, so a blocking descriptor does not block the event loop. Lines that cannot be written are dropped. The process
 * cannot end while a thread is in a write, so a terminal is to be given as a descriptor that does not block (`nonBlockingTerminal`).
 */
export class LineWriter {
  readonly #fd: number;
  readonly #write: Write;
  readonly #clock: Clock;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #leftOut = 0;
  #isWriting = false;
  #onIdle: (() => void) | undefined;
  #isOver = false;

  constructor(fd: number, writeBytes: Write = write, clock: Clock = systemClock) {
    this.#fd = fd;
    this.#write = writeBytes;
    this.#clock = clock;
  }

  line(text: string): void {
    const bytes = Buffer.from(`${text}\n`);
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#next();
  }

  /** Resolves when all lines are written, or after `limitMs`, when the rest is dropped. */
  async end(limitMs: number): Promise<void> {
    if (!this.#isWriting) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const cancel = this.#clock.timer(limitMs, resolve);
    await promise;
    cancel();
    this.#isOver = this.#isWriting;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  #next(): void {
    if (this.#isWriting) return;
    const bytes = this.#waiting.shift() ?? this.#note();
    if (bytes === undefined) {
      this.#onIdle?.();
      return;
    }
    this.#isWriting = true;
    this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    this.#write(this.#fd, bytes, (error, written) => {
      if (error !== null && codeOf(error) === 'EAGAIN') {
        // After the end, a reader that stands still must not keep the process from ending.
        if (!this.#isOver) this.#clock.timer(FULL_RETRY_MS, () => this.#put(bytes));
      } else if (error === null && written < bytes.length) {
        this.#put(bytes.subarray(written));
      } else {
        this.#isWriting = false;
        this.#waitingBytes = Math.max(0, this.#waitingBytes - bytes.length);
        this.#next();
      }
    });
  }

  /** Reports lines that were left out, in their place. */
  #note(): Uint8Array | undefined {
    if (this.#leftOut === 0) return undefined;
    const text = `(${this.#leftOut} lines left out: nobody read them in time)\n`;
    this.#leftOut = 0;
    return Buffer.from(text);
  }
}
