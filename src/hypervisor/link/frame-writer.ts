import { type FrameType, HEADER_BYTES } from './frame.ts';

/**
 * Small frames are copied together into chunks, whose bytes are written once and never again. Chunks grow with the
 * traffic, because most links are idle most of the time.
 */
const CHUNK_BYTES_FIRST = 1024;
const CHUNK_BYTES_MAX = 64 * 1024;
/** Copying a larger payload costs more than writing one more piece. */
const COPY_BYTES_MAX = 8 * 1024;

/**
 * Collects frames until they are taken as a few large pieces: a batch costs one write to the socket and hardly an
 * allocation.
 */
export class FrameWriter {
  #pieces: Uint8Array[] = [];
  #chunk = new Uint8Array(CHUNK_BYTES_FIRST);
  #view = new DataView(this.#chunk.buffer);
  #start = 0;
  #at = 0;
  #bytes = 0;

  /** Bytes that wait to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame. A large payload is not copied: it must not be changed until it has been sent. */
  append(type: FrameType, idLow: number, idHigh: number, op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    const copied = payload.length <= COPY_BYTES_MAX ? payload.length : 0;
    this.#reserve(HEADER_BYTES + op.length + token.length + copied);
    const view = this.#view;
    let at = this.#at;
    view.setUint32(at, op.length + token.length + payload.length, true);
    view.setUint8(at + 4, type);
    view.setUint8(at + 5, op.length);
    view.setUint16(at + 6, token.length, true);
    view.setUint32(at + 8, idLow, true);
    view.setUint32(at + 12, idHigh, true);
    at += HEADER_BYTES;
    if (op.length > 0) this.#chunk.set(op, at);
    at += op.length;
    if (token.length > 0) this.#chunk.set(token, at);
    at += token.length;
    if (copied > 0) this.#chunk.set(payload, at);
    this.#bytes += at + copied - this.#at;
    this.#at = at + copied;
    if (copied === payload.length) return;
    this.#seal();
    this.#pieces.push(payload);
    this.#bytes += payload.length;
  }

  /** The frames that have been collected, in order. */
  take(): readonly Uint8Array[] {
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.length) return;
    this.#seal();
    const grown = Math.min(2 * this.#chunk.length, CHUNK_BYTES_MAX);
    this.#chunk = new Uint8Array(Math.max(grown, bytes));
    this.#view = new DataView(this.#chunk.buffer);
    this.#start = 0;
    this.#at = 0;
  }

  #seal(): void {
    if (this.#at > this.#start) this.#pieces.push(this.#chunk.subarray(this.#start, this.#at));
    this.#start = this.#at;
  }
}
