import { BYTES_TYPE, isContentType, type Outcome, TEXT_TYPE } from '../../fleet/mod.ts';
import { headerText } from '../quote.ts';
import { HOST_CHARS_MAX, HOST_HEADER, MESSAGE_CHARS_MAX, REASON_HEADER, VM_HEADER } from '../reply-headers.ts';
import type { HttpRefusal } from './http-request.ts';

/** An answer, complete. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** After how many seconds a refused client may try again. */
const RETRY_AFTER_S = '1';
const UNAVAILABLE = 503;

/** The answer to a request that has ended: the text, or the error as a line of text. */
export function replyOf(outcome: Outcome): HttpReply {
  const { vm, host } = outcome;
  const origin = {
    ...(vm === undefined ? {} : { [VM_HEADER]: String(vm) }),
    ...(host === undefined ? {} : { [HOST_HEADER]: headerText(host, HOST_CHARS_MAX) }),
  };
  if (!outcome.ok) return errorReply(outcome, origin);
  const { contentType = TEXT_TYPE, payload: body } = outcome;
  // Another host may have told it, and Node throws at what is none.
  const type = isContentType(contentType) ? contentType : BYTES_TYPE;
  return { status: 200, headers: { 'Content-Type': type, ...origin }, body };
}

/** The answer to a request that does not reach the router. */
export function errorReply(
  { status, reason, message, headers = {} }: HttpRefusal,
  origin: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status,
    headers: {
      'Content-Type': TEXT_TYPE,
      [REASON_HEADER]: reason,
      ...(status === UNAVAILABLE ? { 'Retry-After': RETRY_AFTER_S } : {}),
      ...headers,
      ...origin,
    },
    body: Buffer.from(`${headerText(message, MESSAGE_CHARS_MAX)}\n`),
  };
}
