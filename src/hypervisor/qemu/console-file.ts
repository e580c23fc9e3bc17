import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';

const PRIVATE = 0o600;
/** Once so much has been read it is dropped from the file. */
const CUT_BYTES = 64 * 1024;
export const READ_BYTES_MAX = 64 * 1024;

/** All consoles are read into it: what was read is handed on before anything else is. */
const READ_BUFFER = new Uint8Array(READ_BYTES_MAX);

/**
 * What a guest prints, in a file that QEMU appends to. A file stalls no guest, whoever reads and whenever, and keeps what was printed while
 * nobody did; and to look at many costs little more than to look at one.
 */
export class ConsoleFile {
  #descriptor: number | undefined;
  #position: number;

  /** Opens it, or makes it if QEMU has not yet. @param from where to begin: at the `end` if what is there was read by somebody else */
  static open(path: string, from: 'start' | 'end'): ConsoleFile {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, PRIVATE);
    return new ConsoleFile(descriptor, from === 'start' ? 0 : fstatSync(descriptor).size);
  }

  private constructor(descriptor: number, position: number) {
    this.#descriptor = descriptor;
    this.#position = position;
  }

  /** What was printed since the last time, or the first 64 KiB of that. The bytes are the caller's until the next read of any console. */
  read(): Uint8Array {
    if (this.#descriptor === undefined) return READ_BUFFER.subarray(0, 0);
    const length = readSync(this.#descriptor, READ_BUFFER, 0, READ_BYTES_MAX, this.#position);
    this.#position += length;
    // Somebody has emptied it, as one does with what looks like a log.
    if (length === 0 && fstatSync(this.#descriptor).size < this.#position) this.#position = 0;
    if (length < READ_BYTES_MAX && this.#position >= CUT_BYTES) this.#cut(this.#descriptor);
    return READ_BUFFER.subarray(0, length);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** QEMU goes on at the new end. What it writes between our last read and this, some microseconds, is lost. */
  #cut(descriptor: number): void {
    ftruncateSync(descriptor, 0);
    this.#position = 0;
  }
}
