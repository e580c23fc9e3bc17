import { ErrorCode, type NatsConnection } from 'nats';
import { codeOf, ShoalError } from '../errors.ts';
import { decodeReply, encodeArgs } from './admin-codec.ts';
import { type OpenCall, openCall } from './open-call.ts';
import { forbidden, violationOf } from './permissions.ts';
import { subjectsOf } from './subjects.ts';

const TIMEOUT_MS = 5_000;

/**
 * Calls an administration verb of the Shoal that serves `fleet`: of several hosts, that of `host`, or of any one.
 * @returns what the verb returned, as JSON carries it
 * @throws whatever the verb threw; FLEET_NOT_RUNNING if nobody serves the fleet; HOST_UNKNOWN if it has no such host; REQUEST_DEADLINE if no reply came in time;
 * NATS_FORBIDDEN; NATS_UNREACHABLE if the connection is closed; REQUEST_TOO_LARGE for arguments above the server's limit
 */
export async function callAdmin(
  nc: NatsConnection,
  fleet: string,
  verb: string,
  args?: unknown,
  timeoutMs = TIMEOUT_MS,
  host?: string,
): Promise<unknown> {
  const subjects = subjectsOf(fleet);
  const subject = host === undefined ? subjects.admin(verb) : subjects.hostAdmin(host, verb);
  let data: Uint8Array;
  let call: OpenCall | undefined;
  try {
    call = openCall(nc);
    data = (await nc.request(subject, encodeArgs(args), { timeout: timeoutMs, headers: call.headers })).data;
  } catch (cause) {
    throw explained(cause, { fleet, host, verb, timeoutMs, server: nc.getServer() });
  } finally {
    call?.close();
  }
  return decodeReply(data);
}

export interface Call {
  readonly fleet: string;
  readonly host?: string | undefined;
  readonly verb: string;
  readonly timeoutMs: number;
  readonly server: string;
}

/** @returns the error that says which call failed, and why */
export function explained(cause: unknown, { fleet, host, verb, timeoutMs, server }: Call): unknown {
  const options = { cause, details: { fleet, verb, server } };
  const violation = violationOf(cause);
  if (violation !== undefined) return forbidden(violation, server, cause);
  switch (codeOf(cause)) {
    case ErrorCode.NoResponders:
      return nobodyThere({ fleet, host, verb, timeoutMs, server }, options);
    case ErrorCode.Timeout:
      return unanswered({ fleet, host, verb, timeoutMs, server }, options);
    case ErrorCode.MaxPayloadExceeded: {
      const message = `The arguments of "${verb}" are larger than the NATS server at ${server} takes`;
      return new ShoalError('REQUEST_TOO_LARGE', message, options);
    }
    case ErrorCode.ConnectionClosed:
    case ErrorCode.ConnectionDraining: {
      const message = `The connection to NATS at ${server} is closed`;
      return new ShoalError('NATS_UNREACHABLE', message, options);
    }
    default:
      return cause;
  }
}

/** The error of a call that nobody answered in time. */
export function unanswered(
  { fleet, host, verb, timeoutMs }: Call,
  options: ConstructorParameters<typeof ShoalError>[2],
): ShoalError {
  const who = host === undefined ? `The Shoal of the fleet ${fleet}` : `Host ${host} of the fleet ${fleet}`;
  return new ShoalError('REQUEST_DEADLINE', `${who} did not answer "${verb}" within ${timeoutMs} ms`, options);
}

/** The error of a call that nobody could take. */
export function nobodyThere(
  { fleet, host, server }: Call,
  options: ConstructorParameters<typeof ShoalError>[2],
): ShoalError {
  if (host === undefined) {
    const message = `No Shoal serves the fleet ${fleet} at ${server}; start it with \`shoal up\``;
    return new ShoalError('FLEET_NOT_RUNNING', message, options);
  }
  const message = `No host called ${host} is in the fleet ${fleet} at ${server}; \`shoal hosts\` lists those that are`;
  return new ShoalError('HOST_UNKNOWN', message, options);
}
