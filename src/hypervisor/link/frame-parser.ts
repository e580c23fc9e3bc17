import { ShoalError } from '../../errors.ts';
import { OPERATION_CHARS_MAX } from '../../operation-name.ts';
import { FRAME_BYTES_MAX, type FrameSink, FrameType, HEADER_BYTES, NO_BYTES, TOKEN_BYTES_MAX } from './frame.ts';

/** The beginning of a frame of which only a part has come. */
interface Part {
  /** As long as the header, or as the whole frame with its header. */
  readonly bytes: Uint8Array;
  readonly isHeader: boolean;
  filled: number;
}

/**
 * Cuts a byte stream, however it is split, into frames. A frame within one chunk is not copied. The first invalid
 * frame ends the parser for good, because the start of any later frame is unknown.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #frameBytesMax: number;
  #part: Part | undefined;
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
      const part = this.#part;
      if (part === undefined) at = this.#whole(bytes, at);
      else at = part.isHeader ? this.#fillHeader(part, bytes, at) : this.#fillFrame(part, bytes, at);
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
      this.#part = { bytes: new Uint8Array(HEADER_BYTES), isHeader: true, filled: 0 };
      fill(this.#part, bytes, at);
    }
    return bytes.length;
  }

  #fillHeader(part: Part, bytes: Uint8Array, from: number): number {
    const end = fill(part, bytes, from);
    if (part.filled < HEADER_BYTES) return end;
    const length = this.#checkedLength(new DataView(part.bytes.buffer), 0);
    this.#begin(part.bytes, 0, HEADER_BYTES + length);
    this.#handWhole();
    return end;
  }

  #fillFrame(part: Part, bytes: Uint8Array, from: number): number {
    const end = fill(part, bytes, from);
    this.#handWhole();
    return end;
  }

  #begin(bytes: Uint8Array, from: number, total: number): void {
    this.#part = { bytes: new Uint8Array(total), isHeader: false, filled: 0 };
    fill(this.#part, bytes, from);
  }

  #handWhole(): void {
    const part = this.#part;
    if (part === undefined || part.filled < part.bytes.length) return;
    this.#part = undefined;
    this.#hand(new DataView(part.bytes.buffer), part.bytes, 0, part.bytes.length);
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
    this.#part = undefined;
    throw this.#broken;
  }
}

/** Copies what is missing, as far as it has come. @returns where to go on */
function fill(part: Part, bytes: Uint8Array, from: number): number {
  const end = Math.min(bytes.length, from + part.bytes.length - part.filled);
  part.bytes.set(bytes.subarray(from, end), part.filled);
  part.filled += end - from;
  return end;
}
