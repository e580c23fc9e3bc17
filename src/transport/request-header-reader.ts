import type { Msg } from 'nats';
import { messageOf } from '../errors.ts';
import { Memo } from '../memo.ts';
import { headerBytes } from './header-bytes.ts';
import { noHeaders, parseRequestHeaders, type RequestHeaders } from './request-headers.ts';

const NONE: RequestHeaders = noHeaders();
/** Clients use few combinations of operation, deadline and retry. Headers with a request id never recur and are not cached. */
const REMEMBERED_MAX = 256;

/** Reads the headers of requests; equal headers are decoded once. */
export class RequestHeaderReader {
  readonly #known = new Memo<RequestHeaders>(REMEMBERED_MAX);

  /** @returns the complaint if they cannot be used */
  read(message: Msg): RequestHeaders | string {
    const bytes = headerBytes(message);
    const known = bytes === undefined ? undefined : this.#known.get(bytes);
    if (known !== undefined) return known;
    const parsed = parse(message);
    if (bytes !== undefined && typeof parsed !== 'string' && parsed.requestId === undefined) {
      this.#known.set(bytes, parsed);
    }
    return parsed;
  }
}

/** nats.js throws on invalid header names. */
function parse(message: Msg): RequestHeaders | string {
  try {
    return message.headers === undefined ? NONE : parseRequestHeaders(message.headers);
  } catch (error) {
    return `the headers cannot be read: ${messageOf(error)}`;
  }
}
