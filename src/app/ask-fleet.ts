import { callAdmin, connect } from '../transport/mod.ts';
import type { FleetAddress } from './find.ts';

/**
 * Calls one administration verb of a fleet over a connection of its own: of one host, or of any if none is named.
 * @typeParam T the verb's result
 * @throws FLEET_NOT_RUNNING, HOST_UNKNOWN, NATS_UNREACHABLE, and the verb's own errors
 */
export async function askFleet<T>(
  { servers, fleet }: FleetAddress,
  verb: string,
  args: unknown,
  host?: string,
): Promise<T> {
  const connection = await connect({ servers, name: `shoal-${verb}` });
  try {
    // The verbs and their results are defined in `admin/`; a Shoal of another version that lacks one says so.
    return (await callAdmin(connection.nc, fleet, verb, args, undefined, host)) as T;
  } finally {
    await connection.close();
  }
}
