import { ShoalError } from '../errors.ts';

/** The largest text that NATS can be configured to take is 64 MiB; a longer line is none that could be sent. */
const LINE_CHARS_MAX = 64 * 1024 * 1024;

/**
 * The lines of a stream of UTF-8, as they come, each without its line break; a last one needs none.
 * @throws REQUEST_TOO_LARGE for a line that does not end
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  charsMax = LINE_CHARS_MAX,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  // In parts, because to join a long line anew with each chunk takes time that grows with its square.
  let parts: string[] = [];
  let chars = 0;
  for await (const chunk of chunks) {
    const [rest = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    let open = rest;
    for (const next of others) {
      yield withoutReturn(parts.join('') + open);
      parts = [];
      chars = 0;
      open = next;
    }
    parts.push(open);
    chars += open.length;
    if (chars > charsMax) {
      throw new ShoalError('REQUEST_TOO_LARGE', `A line has more than ${charsMax} characters and no end in sight`);
    }
  }
  const last = parts.join('') + decoder.decode();
  if (last !== '') yield withoutReturn(last);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
