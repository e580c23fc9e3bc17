import type { Msg, MsgHdrs } from 'nats';
import { type ErrorCode, ShoalError } from '../errors.ts';
import { isContentType, type RequestEndReason } from '../fleet/mod.ts';
import { Memo } from '../memo.ts';
import { headerBytes } from './header-bytes.ts';
import { NO_RESPONDERS } from './no-responders.ts';
import { headerText } from './quote.ts';
import {
  ERROR_CODE_HEADER,
  ERROR_HEADER,
  HOST_CHARS_MAX,
  HOST_HEADER,
  MESSAGE_CHARS_MAX,
  REASON_HEADER,
  VM_HEADER,
} from './reply-headers.ts';
import { CONTENT_TYPE_HEADER } from './request-headers.ts';

/** The result of a request. */
export interface Reply {
  readonly payload: Uint8Array;
  /** What the bytes are; undefined for text. */
  readonly contentType?: string | undefined;
  /** Id of the VM that processed it; undefined if the reply does not say. */
  readonly vm: number | undefined;
  readonly host: string | undefined;
}

type Origin = Omit<Reply, 'payload'>;

const CODES: Readonly<Record<string, ErrorCode>> = {
  400: 'REQUEST_INVALID',
  404: 'REQUEST_OPERATION_UNKNOWN',
  413: 'REQUEST_TOO_LARGE',
  499: 'REQUEST_CANCELLED',
  501: 'REQUEST_OPERATION_UNKNOWN',
  502: 'REQUEST_VM_FAILED',
  503: 'REQUEST_OVERLOADED',
  504: 'REQUEST_DEADLINE',
};

/** What the status alone does not tell: a service that has the operation may answer with 404 as well. */
const REFUSED = 'bad-request' satisfies RequestEndReason;
/** One entry for each replying VM. */
const REMEMBERED_MAX = 1_024;
const STATUS_CHARS_MAX = 16;
const REASON_WORD = /^[a-z]{1,20}(?:-[a-z]{1,20}){0,4}$/;
const NOWHERE: Origin = { vm: undefined, host: undefined, contentType: undefined };

/** Reads replies. Replies of one VM have equal headers, which are decoded once. */
export class ReplyReader {
  readonly #fleet: string;
  readonly #server: () => string;
  readonly #origins = new Memo<Origin>(REMEMBERED_MAX);

  constructor(fleet: string, server: () => string) {
    this.#server = server;
    this.#fleet = fleet;
  }

  /** @returns the reply, or the error that stands in its place */
  read(message: Msg): Reply | ShoalError {
    const bytes = headerBytes(message);
    const origin = (bytes === undefined ? undefined : this.#origins.get(bytes)) ?? this.#readHeaders(message);
    if (origin instanceof ShoalError) return origin;
    if (bytes !== undefined) this.#origins.set(bytes, origin);
    return { payload: message.data, vm: origin.vm, host: origin.host, contentType: origin.contentType };
  }

  #readHeaders(message: Msg): Origin | ShoalError {
    let headers: MsgHdrs | undefined;
    try {
      ({ headers } = message);
    } catch (cause) {
      return new ShoalError('NATS_MESSAGE_INVALID', 'The reply has headers that cannot be read', { cause });
    }
    if (headers === undefined) return NOWHERE;
    if (headers.code === NO_RESPONDERS && message.data.length === 0) {
      const where = `on the NATS server at ${this.#server()}`;
      const why = `No Shoal serves the fleet ${this.#fleet} ${where}; start one there with \`shoal up\`, or name the server that yours uses`;
      return new ShoalError('REQUEST_NO_RESPONDERS', why, {
        details: { fleet: this.#fleet, reason: 'no-responders' satisfies RequestEndReason },
      });
    }
    const status = headers.get(ERROR_CODE_HEADER);
    return status === '' ? originOf(headers) : errorOf(status, headers, originOf(headers));
  }
}

function originOf(headers: MsgHdrs): Origin {
  const vm = headers.get(VM_HEADER);
  const host = headers.get(HOST_HEADER);
  const contentType = headers.get(CONTENT_TYPE_HEADER);
  return {
    vm: /^[0-9]{1,15}$/.test(vm) ? Number(vm) : undefined,
    host: host === '' ? undefined : headerText(host, HOST_CHARS_MAX),
    // Anybody may have sent it.
    contentType: isContentType(contentType) ? contentType : undefined,
  };
}

function errorOf(status: string, headers: MsgHdrs, { vm, host }: Origin): ShoalError {
  const message = headers.get(ERROR_HEADER);
  const reason = headers.get(REASON_HEADER);
  // A service chooses among the statuses that say that the request is at fault. Any other is a failure of the other side.
  const isInvalid = reason === REFUSED || (CODES[status] === undefined && /^4\d\d$/.test(status));
  const code = isInvalid ? 'REQUEST_INVALID' : (CODES[status] ?? 'REQUEST_VM_FAILED');
  const details = {
    status: headerText(status, STATUS_CHARS_MAX),
    // A newer Shoal may know further words; an older one sends none.
    ...(REASON_WORD.test(reason) ? { reason } : {}),
    ...(vm === undefined ? {} : { vm }),
    ...(host === undefined ? {} : { host }),
  };
  const said = message === '' ? `the request failed with status ${status}` : message;
  return new ShoalError(code, headerText(said, MESSAGE_CHARS_MAX), { details });
}
