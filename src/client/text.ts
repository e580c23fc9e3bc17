import { ShoalError } from '../errors.ts';

const encoder = new TextEncoder();

/** @throws REQUEST_INVALID for what is no array of bytes */
export function checkBytes(bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  const got = bytes === null ? 'null' : typeof bytes;
  throw new ShoalError('REQUEST_INVALID', `Expected the bytes as a Uint8Array, got ${got}`);
}

/** @throws REQUEST_INVALID for what is no text, and for half of a character, which UTF-8 cannot carry */
export function encodeText(text: unknown): Uint8Array {
  if (typeof text !== 'string') {
    throw new ShoalError(
      'REQUEST_INVALID',
      `Expected the text as a string, got ${text === null ? 'null' : typeof text}`,
    );
  }
  if (text.isWellFormed()) return encoder.encode(text);
  const why = 'The text holds half of a surrogate pair, which UTF-8 cannot carry; `text.toWellFormed()` replaces such';
  throw new ShoalError('REQUEST_INVALID', why);
}
