import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';

const PRIVATE = 0o600;
/** Once this much has been read, the file is emptied. */
const CUT_BYTES = 64 * 1024;
/** Likewise, if somebody may have to read it again: half of what QEMU may write. */
const KEPT_BYTES = 512 * 1024;
export const READ_BYTES_MAX = 64 * 1024;

/** All consoles share it: the bytes of one are handed on before the next is read. */
const READ_BUFFER = new Uint8Array(READ_BYTES_MAX);

/**
 * The output of a guest, in a file that QEMU appends to. An unread file never stalls a guest, it keeps the output of
 * the time when nobody read, and looking at many files costs little more than looking at one.
 */
export class ConsoleFile {
  #descriptor: number | undefined;
  #position: number;

  /** Creates the file of a new VM; QEMU then appends to it. */
  static create(path: string): ConsoleFile {
    return new ConsoleFile(openSync(path, constants.O_RDWR | constants.O_CREAT, PRIVATE), 0);
  }

  /** @param from where to begin: at the `end` if somebody else has read the rest */
  static open(path: string, from: 'start' | 'end'): ConsoleFile {
    const descriptor = openSync(path, constants.O_RDWR);
    return new ConsoleFile(descriptor, from === 'start' ? 0 : fstatSync(descriptor).size);
  }

  private constructor(descriptor: number, position: number) {
    this.#descriptor = descriptor;
    this.#position = position;
  }

  /**
   * The output since the last read, or its first 64 KiB. The bytes are the caller's until the next read of any
   * console.
   * @param isKept whether it stays in the file, up to 512 KiB, for whoever reads it from the start
   */
  read(isKept = false): Uint8Array {
    if (this.#descriptor === undefined) return READ_BUFFER.subarray(0, 0);
    const length = readSync(this.#descriptor, READ_BUFFER, 0, READ_BYTES_MAX, this.#position);
    this.#position += length;
    // Somebody has emptied it, as people do with what looks like a log.
    if (length === 0 && fstatSync(this.#descriptor).size < this.#position) this.#position = 0;
    const cutBytes = isKept ? KEPT_BYTES : CUT_BYTES;
    if (length < READ_BYTES_MAX && this.#position >= cutBytes) this.#cut(this.#descriptor);
    return READ_BUFFER.subarray(0, length);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** QEMU goes on at the new end. Output between the last read and the cut, some microseconds, is lost. */
  #cut(descriptor: number): void {
    ftruncateSync(descriptor, 0);
    this.#position = 0;
  }
}
