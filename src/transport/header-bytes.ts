import type { Msg } from 'nats';

/**
 * The headers of a message as they came, one character a byte; undefined if it has none or nothing can be said about them. Equal
 * bytes are equal headers, so what they mean need be found out only once: nats.js takes 2 us to decode a single one.
 */
export function headerBytes(message: Msg): string | undefined {
  // Not in its types: nats.js 2 keeps what it received as one array of bytes, and the length of the headers at its front. Where that
  // does not hold this says undefined, and callers go by the decoded headers.
  const { _rdata: bytes, _msg: parsed } = message as { _rdata?: unknown; _msg?: { hdr?: unknown } };
  const length = parsed?.hdr;
  if (!(bytes instanceof Uint8Array) || typeof length !== 'number' || length <= 0) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
}
