import { write } from 'node:fs';
import { type Clock, systemClock } from '../actors/mod.ts';
import { codeOf } from '../errors.ts';

/** Lines that wait for a slow reader take so much memory at most; those beyond it are left out, and counted. */
const WAITING_BYTES_MAX = 256 * 1024;
/** A pipe that is full says so at once, and has no event for when it is not. */
const FULL_RETRY_MS = 50;

export type Write = (fd: number, bytes: Uint8Array, done: (error: Error | null, written: number) => void) => void;

/**
 * Prints lines for a program that must go on whatever becomes of them: a full disk, a closed pipe, a terminal that stands still. Writes happen
 * on a thread of their own, where a descriptor that blocks holds nothing else up. What cannot be written is dropped.
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

  /** Resolves when nothing waits any more, or after `limitMs`, when what waits is dropped. */
  async end(limitMs: number): Promise<void> {
    if (!this.#isWriting) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const cancel = this.#clock.timer(limitMs, resolve);
    await promise;
    cancel();
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
        this.#clock.timer(FULL_RETRY_MS, () => this.#put(bytes));
      } else if (error === null && written < bytes.length) {
        this.#put(bytes.subarray(written));
      } else {
        this.#isWriting = false;
        this.#waitingBytes = Math.max(0, this.#waitingBytes - bytes.length);
        this.#next();
      }
    });
  }

  /** Tells of the lines that are missing, where they are missing. */
  #note(): Uint8Array | undefined {
    if (this.#leftOut === 0) return undefined;
    const text = `(${this.#leftOut} lines left out: nobody read them in time)\n`;
    this.#leftOut = 0;
    return Buffer.from(text);
  }
}
