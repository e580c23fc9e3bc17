import { ErrorCode, type NatsConnection } from 'nats';
import { codeOf, ShoalError } from '../errors.ts';
import { decodeReply, encodeArgs } from './admin-codec.ts';
import { forbidden, violationOf } from './permissions.ts';
import { subjectsOf } from './subjects.ts';

const TIMEOUT_MS = 5_000;

/**
 * Calls an administration verb of the Shoal that serves `fleet`.
 * @returns what the verb returned, as JSON carries it
 * @throws whatever the verb threw; FLEET_NOT_RUNNING if nobody serves the fleet; REQUEST_DEADLINE if no reply came in time;
 * NATS_FORBIDDEN; NATS_UNREACHABLE if the connection is closed; REQUEST_TOO_LARGE for arguments above the server's limit
 */
export async function callAdmin(
  nc: NatsConnection,
  fleet: string,
  verb: string,
  args?: unknown,
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const subject = subjectsOf(fleet).admin(verb);
  let data: Uint8Array;
  try {
    data = (await nc.request(subject, encodeArgs(args), { timeout: timeoutMs })).data;
  } catch (cause) {
    throw explained(cause, { fleet, verb, timeoutMs, server: nc.getServer() });
  }
  return decodeReply(data);
}

interface Call {
  readonly fleet: string;
  readonly verb: string;
  readonly timeoutMs: number;
  readonly server: string;
}

function explained(cause: unknown, { fleet, verb, timeoutMs, server }: Call): unknown {
  const options = { cause, details: { fleet, verb, server } };
  const violation = violationOf(cause);
  if (violation !== undefined) return forbidden(violation, server, cause);
  switch (codeOf(cause)) {
    case ErrorCode.NoResponders: {
      const message = `No Shoal serves the fleet ${fleet} at ${server}; start it with \`shoal up\``;
      return new ShoalError('FLEET_NOT_RUNNING', message, options);
    }
    case ErrorCode.Timeout: {
      const message = `The Shoal of the fleet ${fleet} did not answer "${verb}" within ${timeoutMs} ms`;
      return new ShoalError('REQUEST_DEADLINE', message, options);
    }
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
