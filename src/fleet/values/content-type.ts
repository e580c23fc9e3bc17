/**
 * What a payload is, as of the header `Content-Type`: printable ASCII with nothing to trim, so that it can stand in a header of NATS and of
 * HTTP as it is.
 */
const CONTENT_TYPE = /^[!-~](?:[ -~]{0,253}[!-~])?$/;

export const CONTENT_TYPE_CHARS_MAX = 255;
/** The same for error messages. */
export const CONTENT_TYPE_FORM = `1 to ${CONTENT_TYPE_CHARS_MAX} printable ASCII characters without blanks around them`;
/** Of bytes of which nobody has said more. */
export const BYTES_TYPE = 'application/octet-stream';

export function isContentType(value: string): boolean {
  return CONTENT_TYPE.test(value);
}
