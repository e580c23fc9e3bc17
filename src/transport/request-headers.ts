import { CONTENT_TYPE_FORM, isContentType } from '../fleet/mod.ts';
import { isOperationName, OPERATION_NAME_FORM } from '../operation-name.ts';
import { quote } from './quote.ts';

/** The headers of a request (DESIGN section 7). NATS preserves the case of names; Shoal ignores it. */
export const OP_HEADER = 'Shoal-Op';
export const DEADLINE_HEADER = 'Shoal-Deadline-Ms';
export const REQUEST_ID_HEADER = 'Shoal-Request-Id';
export const RETRY_HEADER = 'Shoal-Retry';
export const REPEAT_HEADER = 'Shoal-Repeat';
export const CONTENT_TYPE_HEADER = 'Content-Type';

export const DEADLINE_MS_MAX = 3_600_000;

/** The headers of a request; those that it lacks are undefined or have their default. */
export interface RequestHeaders {
  /** Empty: the service's default operation. */
  op: string;
  deadlineMs: number | undefined;
  requestId: string | undefined;
  /** Default true. */
  retry: boolean;
  /** The client has sent it before; default false. */
  isRepeat: boolean;
  /** What the bytes are. */
  contentType: string | undefined;
}

/** Of a request that has none. */
export function noHeaders(): RequestHeaders {
  const contentType = undefined;
  return { op: '', deadlineMs: undefined, requestId: undefined, retry: true, isRepeat: false, contentType };
}

const REQUEST_ID = /^[\x20-\x7e]{1,128}$/;
const INTEGER = /^[0-9]{1,7}$/;

export function isRequestId(value: string): boolean {
  return REQUEST_ID.test(value);
}

export function isDeadlineMs(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= DEADLINE_MS_MAX;
}

/** @param headers each name with its values @returns the headers, or the complaint for the client; unknown headers are ignored */
export function parseRequestHeaders(headers: Iterable<readonly [string, readonly string[]]>): RequestHeaders | string {
  const parsed = noHeaders();
  for (const [name, values] of headers) {
    const complaint = take(parsed, name.toLowerCase(), values);
    if (complaint !== undefined) return complaint;
  }
  return parsed;
}

function take(parsed: RequestHeaders, name: string, values: readonly string[]): string | undefined {
  const value = values[0] ?? '';
  switch (name) {
    case 'shoal-op':
      if (values.length > 1) return twice(OP_HEADER, values);
      if (!isOperationName(value)) return wrong(OP_HEADER, OPERATION_NAME_FORM, value);
      parsed.op = value;
      return undefined;
    case 'shoal-deadline-ms':
      if (values.length > 1) return twice(DEADLINE_HEADER, values);
      if (!INTEGER.test(value) || !isDeadlineMs(Number(value))) {
        return wrong(DEADLINE_HEADER, `an integer from 1 to ${DEADLINE_MS_MAX}`, value);
      }
      parsed.deadlineMs = Number(value);
      return undefined;
    case 'shoal-request-id':
      if (values.length > 1) return twice(REQUEST_ID_HEADER, values);
      if (!isRequestId(value)) return wrong(REQUEST_ID_HEADER, '1 to 128 printable ASCII characters', value);
      parsed.requestId = value;
      return undefined;
    case 'shoal-retry':
      if (values.length > 1) return twice(RETRY_HEADER, values);
      if (value !== 'yes' && value !== 'no') return wrong(RETRY_HEADER, '"yes" or "no"', value);
      parsed.retry = value === 'yes';
      return undefined;
    case 'shoal-repeat':
      if (values.length > 1) return twice(REPEAT_HEADER, values);
      if (value !== 'yes' && value !== 'no') return wrong(REPEAT_HEADER, '"yes" or "no"', value);
      parsed.isRepeat = value === 'yes';
      return undefined;
    case 'content-type':
      if (values.length > 1) return twice(CONTENT_TYPE_HEADER, values);
      if (!isContentType(value)) return wrong(CONTENT_TYPE_HEADER, CONTENT_TYPE_FORM, value);
      parsed.contentType = value;
      return undefined;
    default:
      return undefined;
  }
}

function wrong(header: string, expected: string, value: string): string {
  return `${header}: expected ${expected}, got ${quote(value)}`;
}

function twice(header: string, values: readonly string[]): string {
  return `${header}: expected one value, got ${values.length}: ${values.slice(0, 2).map(quote).join(' and ')}`;
}
