import { ShoalError } from '../errors.ts';
import { byteAt, decodeUtf8, validBytes } from './utf8.ts';

/** A line of this length is none: it has no end. NATS can be configured to take as much, and no more. */
const ENDLESS_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A line by its number, from 1; one that cannot be sent has the error that stands in its place. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly error: ShoalError };

/**
 * The lines of a stream of UTF-8, as they come, each without its line break; a last one needs none. Of a line with more than `bytesMax` bytes
 * nothing is kept.
 * @throws REQUEST_TOO_LARGE for a line that does not end
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
  endlessBytes = ENDLESS_BYTES,
): AsyncGenerator<Line, void, undefined> {
  const line = new OpenLine(bytesMax);
  let number = 1;
  /** Of the input, where the line begins. */
  let offset = 0;
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, begin)) {
      line.add(chunk.subarray(begin, end));
      yield line.end(number, offset);
      number += 1;
      offset += line.bytes + 1;
      line.clear();
      begin = end + 1;
    }
    line.add(chunk.subarray(begin));
    if (line.bytes > endlessBytes) {
      throw new ShoalError(
        'REQUEST_TOO_LARGE',
        `Line ${number} has more than ${endlessBytes} bytes and no end in sight`,
      );
    }
  }
  if (line.bytes > 0) yield line.end(number, offset);
}

/** A line that has not ended. */
class OpenLine {
  bytes = 0;
  readonly #bytesMax: number;
  /** To join a long line anew with each chunk would take time that grows with its square. */
  #parts: Uint8Array[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(part: Uint8Array): void {
    this.bytes += part.length;
    if (this.bytes > this.#bytesMax) this.#parts = [];
    else this.#parts.push(part);
  }

  clear(): void {
    this.bytes = 0;
    this.#parts = [];
  }

  end(number: number, offset: number): Line {
    if (this.bytes > this.#bytesMax) {
      const why = `the line has ${this.bytes} bytes, and the NATS server takes at most ${this.#bytesMax}`;
      return { number, error: new ShoalError('REQUEST_TOO_LARGE', why) };
    }
    return lineOf(joined(this.#parts), number, offset);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

function lineOf(bytes: Uint8Array, number: number, offset: number): Line {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return { number, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  const at = validBytes(bytes);
  const where = `${byteAt(bytes, at)} of the line, ${offset + at} of the input,`;
  return { number, error: new ShoalError('REQUEST_INVALID', `the line is not UTF-8: ${where} begins no character`) };
}
