import { ShoalError } from '../../errors.ts';
import { OPERATION_CHARS_MAX } from '../../operation-name.ts';
import { FRAME_BYTES_MAX, type FrameSink, FrameType, HEADER_BYTES, NO_BYTES, TOKEN_BYTES_MAX } from './frame.ts';

/**
 * Cuts a byte stream, however it is split, into frames. A frame within one chunk is not copied. The first invalid
 * frame ends the parser for good, because the start of any later frame is unknown.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #frameBytesMax: number;
  /** Made when a header first comes in two chunks, which is rare. */
  #header: Uint8Array | undefined;
  #headerFilled = 0;
  /** The frame of which only a part has come, header included. */
  #partial: Uint8Array | undefined;
  #partialFilled = 0;
  #broken: ShoalError | undefined;

  /** @param frameBytesMax largest length of what follows a header */
  constructor(sink: FrameSink, frameBytesMax = FRAME_BYTES_MAX) {
    this.#sink = sink;
    this.#frameBytesMax = frameBytesMax;
  }

  /** @throws FRAME_INVALID, now and at every later call */
  push(bytes: Uint8Array): void {
    if (this.#broken !== undefined) throw this.#broken;
    let at = 0;
    while (at < bytes.length) {
      if (this.#partial !== undefined) at = this.#fillPartial(this.#partial, bytes, at);
      else if (this.#header !== undefined && this.#headerFilled > 0) at = this.#fillHeader(this.#header, bytes, at);
      else at = this.#whole(bytes, at);
    }
  }

  /** Hands over the complete frames from `from` on, and puts the rest aside. @returns where to go on */
  #whole(bytes: Uint8Array, from: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = from;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#checkedLength(view, at);
      if (end > bytes.length) {
        this.#begin(bytes, at, end - at);
        return bytes.length;
      }
      this.#hand(view, bytes, at, end);
      at = end;
    }
    if (at < bytes.length) {
      this.#header ??= new Uint8Array(HEADER_BYTES);
      this.#header.set(bytes.subarray(at));
      this.#headerFilled = bytes.length - at;
    }
    return bytes.length;
  }

  #fillHeader(header: Uint8Array, bytes: Uint8Array, from: number): number {
    const end = Math.min(bytes.length, from + HEADER_BYTES - this.#headerFilled);
    header.set(bytes.subarray(from, end), this.#headerFilled);
    this.#headerFilled += end - from;
    if (this.#headerFilled < HEADER_BYTES) return end;
    this.#headerFilled = 0;
    const length = this.#checkedLength(new DataView(header.buffer), 0);
    this.#begin(header, 0, HEADER_BYTES + length);
    this.#handPartial();
    return end;
  }

  #fillPartial(partial: Uint8Array, bytes: Uint8Array, from: number): number {
    const end = Math.min(bytes.length, from + partial.length - this.#partialFilled);
    partial.set(bytes.subarray(from, end), this.#partialFilled);
    this.#partialFilled += end - from;
    this.#handPartial();
    return end;
  }

  #begin(bytes: Uint8Array, from: number, total: number): void {
    this.#partial = new Uint8Array(total);
    this.#partial.set(bytes.subarray(from, from + total));
    this.#partialFilled = Math.min(bytes.length - from, total);
  }

  #handPartial(): void {
    const partial = this.#partial;
    if (partial === undefined || this.#partialFilled < partial.length) return;
    this.#partial = undefined;
    this.#hand(new DataView(partial.buffer), partial, 0, partial.length);
  }

  #hand(view: DataView, bytes: Uint8Array, at: number, end: number): void {
    const op = at + HEADER_BYTES;
    const token = op + view.getUint8(at + 5);
    const payload = token + view.getUint16(at + 6, true);
    this.#sink.frame(
      view.getUint8(at + 4),
      view.getUint32(at + 8, true),
      view.getUint32(at + 12, true),
      op === token ? NO_BYTES : bytes.subarray(op, token),
      token === payload ? NO_BYTES : bytes.subarray(token, payload),
      payload === end ? NO_BYTES : bytes.subarray(payload, end),
    );
  }

  /** The length of the rest of the frame, once the whole header is known to be valid. */
  #checkedLength(view: DataView, at: number): number {
    const length = view.getUint32(at, true);
    const type = view.getUint8(at + 4);
    const opBytes = view.getUint8(at + 5);
    const tokenBytes = view.getUint16(at + 6, true);
    if (length > this.#frameBytesMax)
      this.#fail(`its length is ${length} bytes, at most ${this.#frameBytesMax} are allowed`);
    if (type < FrameType.request || type > FrameType.typedReply) this.#fail(`its type is ${type}`);
    if (opBytes > OPERATION_CHARS_MAX) this.#fail(`its operation has ${opBytes} bytes`);
    if (tokenBytes > TOKEN_BYTES_MAX) this.#fail(`its token has ${tokenBytes} bytes`);
    if (opBytes + tokenBytes > length) this.#fail('its operation and token are longer than the frame');
    return length;
  }

  #fail(why: string): never {
    this.#broken = new ShoalError('FRAME_INVALID', `A frame of the guest is refused: ${why}`, { details: { why } });
    this.#partial = undefined;
    throw this.#broken;
  }
}
