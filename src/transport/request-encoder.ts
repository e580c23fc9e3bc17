import { ShoalError } from '../errors.ts';
import { CONTENT_TYPE_FORM, isContentType } from '../fleet/mod.ts';
import { Memo } from '../memo.ts';
import { isOperationName, OPERATION_NAME_FORM } from '../operation-name.ts';
import { EncodedHeaders } from './encoded-headers.ts';
import { quote } from './quote.ts';
import {
  CONTENT_TYPE_HEADER,
  DEADLINE_HEADER,
  DEADLINE_MS_MAX,
  isDeadlineMs,
  isRequestId,
  OP_HEADER,
  REPEAT_HEADER,
  REQUEST_ID_HEADER,
  RETRY_HEADER,
} from './request-headers.ts';

interface Wanted {
  readonly op?: string;
  readonly deadlineMs?: number;
  readonly requestId?: string;
  readonly retry?: boolean;
  readonly isRepeat?: boolean;
  readonly contentType?: string;
}

export interface EncodedRequest {
  readonly headers: EncodedHeaders;
  readonly deadlineMs: number;
}

/** A client uses few combinations of headers, apart from request ids. */
const CACHED_MAX = 256;

/** Encodes the headers of requests, and each combination without a request id only once. */
export class RequestEncoder {
  readonly #defaultDeadlineMs: number;
  readonly #cached = new Memo<EncodedRequest>(CACHED_MAX);

  constructor(defaultDeadlineMs: number) {
    this.#defaultDeadlineMs = checkDeadline(defaultDeadlineMs);
  }

  /** @throws REQUEST_INVALID that shows the value */
  encode(wanted: Wanted): EncodedRequest {
    const { op = '', deadlineMs = this.#defaultDeadlineMs, requestId, retry = true, isRepeat = false } = wanted;
    const { contentType } = wanted;
    if (requestId !== undefined) return make(op, deadlineMs, retry, requestId, isRepeat, contentType);
    const key = `${deadlineMs} ${retry} ${op} ${contentType ?? ''}`;
    const cached = this.#cached.get(key);
    if (cached !== undefined) return cached;
    const made = make(op, deadlineMs, retry, undefined, false, contentType);
    this.#cached.set(key, made);
    return made;
  }
}

function make(
  op: string,
  deadlineMs: number,
  retry: boolean,
  requestId: string | undefined,
  isRepeat: boolean,
  contentType: string | undefined,
): EncodedRequest {
  const lines = [`${DEADLINE_HEADER}: ${checkDeadline(deadlineMs)}`];
  if (op !== '') {
    if (!isOperationName(op)) throw refused('op', OPERATION_NAME_FORM, quote(op));
    lines.push(`${OP_HEADER}: ${op}`);
  }
  if (requestId !== undefined) {
    // NATS trims header values, so the repeat of an id with surrounding blanks would not be recognised.
    if (!isRequestId(requestId) || requestId.trim() !== requestId) {
      throw refused('requestId', '1 to 128 printable ASCII characters', quote(requestId));
    }
    lines.push(`${REQUEST_ID_HEADER}: ${requestId}`);
  }
  if (contentType !== undefined) {
    if (!isContentType(contentType)) throw refused('contentType', CONTENT_TYPE_FORM, quote(contentType));
    lines.push(`${CONTENT_TYPE_HEADER}: ${contentType}`);
  }
  if (isRepeat) lines.push(`${REPEAT_HEADER}: yes`);
  if (!retry) lines.push(`${RETRY_HEADER}: no`);
  return { headers: new EncodedHeaders(lines), deadlineMs };
}

function checkDeadline(deadlineMs: number): number {
  if (isDeadlineMs(deadlineMs)) return deadlineMs;
  throw refused('deadlineMs', `an integer from 1 to ${DEADLINE_MS_MAX}`, String(deadlineMs));
}

function refused(what: string, expected: string, got: string): ShoalError {
  return new ShoalError('REQUEST_INVALID', `Expected \`${what}\` to be ${expected}, got ${got}`, { details: { got } });
}
