import { type FrameType, HEADER_BYTES, NO_BYTES } from './frame.ts';

/**
 * Small frames are copied together into chunks, whose bytes are written once and never again. Chunks grow with the
 * traffic, because most links are idle most of the time.
 */
const CHUNK_BYTES_FIRST = 1024;
const CHUNK_BYTES_MAX = 64 * 1024;
/** Copying a larger payload costs more than writing one more piece. */
const COPY_BYTES_MAX = 8 * 1024;
/** So many chunks are kept for the next frames, of whichever writer. Each link at rest would keep one otherwise. */
const UNUSED_MAX = 16;

/** A part of memory whose first `at` bytes are used. */
class Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Of all writers of this thread, which hold a chunk only while they collect frames; the last given back first. */
const unused: Chunk[] = [];
const NO_PIECES: readonly Uint8Array[] = [];

/**
 * Collects frames until they are taken as a few large pieces: a batch costs one write to the socket and hardly an
 * allocation.
 */
export class FrameWriter {
  #chunk: Chunk | undefined;
  /** Where the bytes in the chunk begin that are no piece yet. */
  #start = 0;
  #pieces: Uint8Array[] | undefined;
  #bytes = 0;

  /** Bytes that wait to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a frame. A large payload is not copied: it must not be changed until it has been sent.
   * @param contentType with the byte of its length, of a typed frame
   */
  append(
    type: FrameType,
    idLow: number,
    idHigh: number,
    op: Uint8Array,
    token: Uint8Array,
    payload: Uint8Array,
    contentType: Uint8Array = NO_BYTES,
  ): void {
    const copied = payload.length <= COPY_BYTES_MAX ? payload.length : 0;
    const chunk = this.#withRoom(HEADER_BYTES + op.length + token.length + contentType.length + copied);
    const { bytes, view } = chunk;
    let at = chunk.at;
    view.setUint32(at, op.length + token.length + contentType.length + payload.length, true);
    view.setUint8(at + 4, type);
    view.setUint8(at + 5, op.length);
    view.setUint16(at + 6, token.length, true);
    view.setUint32(at + 8, idLow, true);
    view.setUint32(at + 12, idHigh, true);
    at += HEADER_BYTES;
    if (op.length > 0) bytes.set(op, at);
    at += op.length;
    if (token.length > 0) bytes.set(token, at);
    at += token.length;
    if (contentType.length > 0) bytes.set(contentType, at);
    at += contentType.length;
    if (copied > 0) bytes.set(payload, at);
    this.#bytes += at + copied - chunk.at;
    chunk.at = at + copied;
    if (copied === payload.length) return;
    this.#seal(chunk);
    this.#piece(payload);
    this.#bytes += payload.length;
  }

  /** The frames that have been collected, in order. */
  take(): readonly Uint8Array[] {
    const chunk = this.#chunk;
    if (chunk === undefined) return NO_PIECES;
    this.#seal(chunk);
    this.#chunk = undefined;
    if (unused.length < UNUSED_MAX) unused.push(chunk);
    const pieces = this.#pieces;
    this.#pieces = undefined;
    this.#bytes = 0;
    return pieces ?? NO_PIECES;
  }

  #withRoom(bytes: number): Chunk {
    const chunk = this.#chunk ?? unused.pop();
    if (chunk !== undefined && chunk.at + bytes <= chunk.bytes.length) {
      if (this.#chunk === undefined) this.#begin(chunk);
      return chunk;
    }
    if (this.#chunk !== undefined) this.#seal(this.#chunk);
    const grown = chunk === undefined ? CHUNK_BYTES_FIRST : Math.min(2 * chunk.bytes.length, CHUNK_BYTES_MAX);
    const fresh = new Chunk(Math.max(grown, bytes));
    this.#begin(fresh);
    return fresh;
  }

  #begin(chunk: Chunk): void {
    this.#chunk = chunk;
    this.#start = chunk.at;
  }

  #seal({ bytes, at }: Chunk): void {
    if (at > this.#start) this.#piece(bytes.subarray(this.#start, at));
    this.#start = at;
  }

  #piece(bytes: Uint8Array): void {
    if (this.#pieces === undefined) this.#pieces = [bytes];
    else this.#pieces.push(bytes);
  }
}
