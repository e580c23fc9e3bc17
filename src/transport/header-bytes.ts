import type { Msg } from 'nats';

/**
 * The undecoded headers of a message, one character per byte; undefined if it has none, or if they cannot be found. Equal bytes are equal
 * headers, so each needs decoding only once: nats.js takes 2 us to decode a single header.
 */
export function headerBytes(message: Msg): string | undefined {
  // Private fields of nats.js 2: the received bytes, and the length of the headers at their front. If another version has no such fields,
  // this returns undefined and callers use the decoded headers.
  const { _rdata: bytes, _msg: parsed } = message as { _rdata?: unknown; _msg?: { hdr?: unknown } };
  const length = parsed?.hdr;
  if (!(bytes instanceof Uint8Array) || typeof length !== 'number' || length <= 0) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
}
