import type { Msg, MsgHdrs } from 'nats';
import { type ErrorCode, ShoalError } from '../errors.ts';
import { ERROR_CODE_HEADER, ERROR_HEADER, HOST_HEADER, VM_HEADER } from './reply-headers.ts';

/** A processed request. */
export interface Reply {
  readonly payload: Uint8Array;
  /** The id of the VM that worked on it; undefined if the answering side did not say. */
  readonly vm: number | undefined;
  readonly host: string | undefined;
}

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

/** The status of the NATS server's own message that nobody subscribes to the subject. */
const NO_RESPONDERS = 503;

/** @returns the reply, or the error that stands in its place */
export function readReply(message: Msg, fleet: string): Reply | ShoalError {
  let headers: MsgHdrs | undefined;
  try {
    ({ headers } = message);
  } catch (cause) {
    return new ShoalError('NATS_MESSAGE_INVALID', 'The reply has headers that cannot be read', { cause });
  }
  const payload = message.data;
  if (headers === undefined) return { payload, vm: undefined, host: undefined };
  if (headers.code === NO_RESPONDERS && payload.length === 0) {
    const why = `No Shoal serves the fleet ${fleet} on this NATS server. Start it with: shoal up`;
    return new ShoalError('REQUEST_NO_RESPONDERS', why, { details: { fleet } });
  }
  const vm = headers.get(VM_HEADER);
  const host = headers.get(HOST_HEADER);
  const status = headers.get(ERROR_CODE_HEADER);
  const origin = { vm: vm === '' ? undefined : Number(vm), host: host === '' ? undefined : host };
  return status === '' ? { payload, ...origin } : errorOf(status, headers.get(ERROR_HEADER), origin);
}

function errorOf(status: string, message: string, { vm, host }: Omit<Reply, 'payload'>): ShoalError {
  // Whatever else it may be, the far side failed.
  const code = CODES[status] ?? 'REQUEST_VM_FAILED';
  const details = {
    status: Number(status),
    ...(vm === undefined ? {} : { vm }),
    ...(host === undefined ? {} : { host }),
  };
  return new ShoalError(code, message === '' ? `the request failed with status ${status}` : message, { details });
}
