import { ShoalError } from '../errors.ts';

const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** @returns undefined for bytes that are not UTF-8, since replacement characters would alter the text */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text of a whole input. @throws REQUEST_INVALID with the offset of the first byte that is not UTF-8 */
export function textOfInput(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  const offset = validBytes(bytes);
  const remedy = 'A service of bytes takes it by `shoal send --content-type TYPE`';
  throw new ShoalError(
    'REQUEST_INVALID',
    `The text is not UTF-8: ${byteAt(bytes, offset)} begins no character. ${remedy}`,
  );
}

/** The length of the valid UTF-8 at the beginning. */
export function validBytes(bytes: Uint8Array): number {
  // The longest valid beginning may end within a character that is never completed.
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (begun(bytes.subarray(0, middle)) === undefined) bad = middle;
    else good = middle;
  }
  return Buffer.byteLength(begun(bytes.subarray(0, good)) ?? '');
}

export function byteAt(bytes: Uint8Array, offset: number): string {
  return `the byte 0x${(bytes[offset] ?? 0).toString(16).padStart(2, '0')} at offset ${offset}`;
}

/** The complete characters, or undefined if the bytes cannot begin a UTF-8 text. */
function begun(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
