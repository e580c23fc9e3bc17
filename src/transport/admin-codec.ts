import { fromEnvelope, ShoalError, toEnvelope, toWire, type WireError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { isHostName } from './host-name.ts';
import { isErrorEnvelope } from './json-checks.ts';

/** The reply of a verb on the wire. `from` stands in those of a call that each host answers. */
export type AdminReply =
  | { readonly ok: true; readonly value: unknown; readonly from?: AnswerFrom }
  | { readonly ok: false; readonly error: WireError; readonly from?: AnswerFrom };

/** The host that answers, and the others that it knows of. */
export interface AnswerFrom {
  readonly host: string;
  readonly up: readonly string[];
  /** Those that were lost a while ago. */
  readonly lost: readonly string[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Longer messages are cut, so that an error fits below any payload limit. */
const ERROR_CHARS_MAX = 2_000;

export function encodeArgs(args: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(args ?? null));
}

/** @throws NATS_MESSAGE_INVALID */
export function decodeArgs(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return null;
  return parseJson(bytes, 'the arguments of an administration call');
}

/** @returns the reply, or an error in its place if it is larger than the server takes */
export function encodeReply(verb: string, value: unknown, bytesMax: number, from?: AnswerFrom): Uint8Array {
  // JSON has no undefined, so a verb that returns nothing returns null.
  const reply = encoder.encode(JSON.stringify({ ok: true, value: value ?? null, from }));
  if (reply.length <= bytesMax) return reply;
  const details = { verb, bytes: reply.length, bytesMax };
  const why = `The reply to "${verb}" has ${reply.length} bytes, and the NATS server takes ${bytesMax}; ask for less`;
  return encodeError(new ShoalError('REQUEST_TOO_LARGE', why, { details }), bytesMax, from);
}

export function encodeError(error: unknown, bytesMax: number, from?: AnswerFrom): Uint8Array {
  const envelope = toWire(toEnvelope(error));
  const full = encoder.encode(JSON.stringify({ ok: false, error: envelope, from }));
  if (full.length <= bytesMax) return full;
  const short: WireError = {
    name: envelope.name.slice(0, ERROR_CHARS_MAX),
    code: envelope.code.slice(0, ERROR_CHARS_MAX),
    message: envelope.message.slice(0, ERROR_CHARS_MAX),
    details: {},
  };
  return encoder.encode(JSON.stringify({ ok: false, error: short, from }));
}

/** @returns the result of the verb @throws the error of the verb; NATS_MESSAGE_INVALID if the bytes are no reply */
export function decodeReply(bytes: Uint8Array): unknown {
  const reply = parseJson(bytes, 'the reply of an administration call');
  if (isRecord(reply) && reply['ok'] === true) return reply['value'];
  if (isRecord(reply) && reply['ok'] === false && isErrorEnvelope(reply['error'])) throw fromEnvelope(reply['error']);
  throw new ShoalError('NATS_MESSAGE_INVALID', 'The reply of an administration call is not of the expected form');
}

/** Who sent a reply to a call that each host answers; undefined if it does not say so in the known form. */
export function fromIn(bytes: Uint8Array): AnswerFrom | undefined {
  let reply: unknown;
  try {
    reply = parseJson(bytes, 'the reply of an administration call');
  } catch {
    return undefined;
  }
  const from = isRecord(reply) ? reply['from'] : undefined;
  if (!isRecord(from)) return undefined;
  const { host, up, lost } = from;
  if (typeof host !== 'string' || !isHostName(host)) return undefined;
  return { host, up: namesIn(up), lost: namesIn(lost) };
}

function namesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one: unknown): one is string => typeof one === 'string' && isHostName(one));
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new ShoalError('NATS_MESSAGE_INVALID', `Expected JSON in UTF-8 as ${what}`, { cause });
  }
}
