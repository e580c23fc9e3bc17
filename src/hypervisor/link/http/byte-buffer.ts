const FIRST_BYTES = 256;

/** Bytes that come in parts. It grows with them, twofold, so that many small parts cost no more than a large one. */
export class ByteBuffer {
  #bytes: Uint8Array | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(part: Uint8Array): void {
    const length = this.#length + part.length;
    const bytes = this.#withRoom(length);
    bytes.set(part, this.#length);
    this.#length = length;
  }

  /** All that came; the buffer is empty then, and keeps no memory. */
  take(): Uint8Array {
    const bytes = this.#bytes?.subarray(0, this.#length) ?? new Uint8Array(0);
    this.#bytes = undefined;
    this.#length = 0;
    return bytes;
  }

  #withRoom(length: number): Uint8Array {
    const bytes = this.#bytes;
    if (bytes !== undefined && length <= bytes.length) return bytes;
    const grown = new Uint8Array(Math.max(length, bytes === undefined ? FIRST_BYTES : 2 * bytes.length));
    if (bytes !== undefined) grown.set(bytes.subarray(0, this.#length));
    this.#bytes = grown;
    return grown;
  }
}
