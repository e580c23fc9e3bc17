/** The longest content type, in characters; all are ASCII, so in bytes as well. */
export const CONTENT_TYPE_CHARS_MAX = 255;
/** What a content type is, for error messages. */
export const CONTENT_TYPE_FORM = `1 to ${CONTENT_TYPE_CHARS_MAX} printable ASCII characters without blanks around them`;
/** The content type of text, where HTTP needs one. */
export const TEXT_TYPE = 'text/plain; charset=utf-8';
/** The content type of bytes of which nobody has said more. */
export const BYTES_TYPE = 'application/octet-stream';

const CONTENT_TYPE = new RegExp(`^[!-~](?:[ -~]{0,${CONTENT_TYPE_CHARS_MAX - 2}}[!-~])?$`);

/** Whether a text can stand in the header `Content-Type` of NATS and of HTTP as it is: printable ASCII with nothing to trim. */
export function isContentType(value: string): boolean {
  return CONTENT_TYPE.test(value);
}
