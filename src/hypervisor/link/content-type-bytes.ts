import { isContentType } from '../../fleet/mod.ts';
import { Memo } from '../../memo.ts';

/** Of a request without one: its length is 0. */
const NONE = new Uint8Array(1);
/** Of all links of a thread: clients use few. */
const known = new Memo<Uint8Array>(256);

/** A content type as it stands in a typed frame, with the byte of its length before it. @param contentType that is one */
export function contentTypeBytes(contentType: string | undefined): Uint8Array {
  if (contentType === undefined) return NONE;
  const bytes = known.get(contentType);
  if (bytes !== undefined) return bytes;
  const made = Buffer.from(`\0${contentType}`, 'latin1');
  made[0] = contentType.length;
  known.set(contentType, made);
  return made;
}

/** Splits what stands behind the token of a typed frame; undefined if the frame is none that may be. */
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
