import { ShoalError } from '../errors.ts';
import { byteAt, decodeUtf8, validBytes } from './utf8.ts';

/** The largest text that NATS can be configured to take; a longer line is none that could be sent. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A line by its number, from 1; one that is not UTF-8 has the error that stands in its place. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly error: ShoalError };

/**
 * The lines of a stream of UTF-8, as they come, each without its line break; a last one needs none.
 * @throws REQUEST_TOO_LARGE for a line that does not end
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax = LINE_BYTES_MAX,
): AsyncGenerator<Line, void, undefined> {
  // In parts, because to join a long line anew with each chunk takes time that grows with its square.
  let parts: Uint8Array[] = [];
  let lineBytes = 0;
  let number = 1;
  /** Of the input, where the line begins. */
  let offset = 0;
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, begin)) {
      parts.push(chunk.subarray(begin, end));
      const bytes = joined(parts);
      yield lineOf(bytes, number, offset);
      number += 1;
      offset += bytes.length + 1;
      parts = [];
      lineBytes = 0;
      begin = end + 1;
    }
    parts.push(chunk.subarray(begin));
    lineBytes += chunk.length - begin;
    if (lineBytes > bytesMax) {
      throw new ShoalError('REQUEST_TOO_LARGE', `Line ${number} has more than ${bytesMax} bytes and no end in sight`);
    }
  }
  const last = joined(parts);
  if (last.length > 0) yield lineOf(last, number, offset);
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
