import { isContentType } from '../../fleet/mod.ts';

const NONE = new Uint8Array(1);
/** Clients use few. */
const KNOWN_MAX = 256;
const known = new Map<string, Uint8Array>();

/** A content type as it stands in a typed frame, with the byte of its length before it. @param contentType that is one */
export function contentTypeBytes(contentType: string | undefined): Uint8Array {
  if (contentType === undefined) return NONE;
  const bytes = known.get(contentType);
  if (bytes !== undefined) return bytes;
  if (known.size >= KNOWN_MAX) known.clear();
  const made = Buffer.from(`\0${contentType}`, 'latin1');
  made[0] = contentType.length;
  known.set(contentType, made);
  return made;
}

/** What stands in a typed frame behind its token; undefined if it cannot be. */
export function splitTyped(
  bytes: Uint8Array,
): { readonly payload: Uint8Array; readonly contentType: string | undefined } | undefined {
  const [length] = bytes;
  if (length === undefined || length >= bytes.length) return undefined;
  const payload = bytes.subarray(1 + length);
  if (length === 0) return { payload, contentType: undefined };
  const contentType = Buffer.from(bytes.buffer, bytes.byteOffset + 1, length).toString('latin1');
  return isContentType(contentType) ? { payload, contentType } : undefined;
}
