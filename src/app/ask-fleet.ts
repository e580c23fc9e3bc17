import { callAdmin, connect } from '../transport/mod.ts';
import type { FleetAddress } from './find.ts';

/**
 * Calls one verb of administration of a fleet, over a connection of its own.
 * @typeParam T what the verb returns; both sides are of one version, or the verb says so
 * @throws FLEET_NOT_RUNNING, NATS_UNREACHABLE, and what the verb threw
 */
export async function askFleet<T>({ servers, fleet }: FleetAddress, verb: string, args: unknown): Promise<T> {
  const connection = await connect({ servers, name: `shoal-${verb}` });
  try {
    // What a verb returns is defined in one place for both sides (`admin.ts`).
    return (await callAdmin(connection.nc, fleet, verb, args)) as T;
  } finally {
    await connection.close();
  }
}
