import type { AdminHandler } from '../../transport/mod.ts';
import { actorHandlers } from './actors.ts';
import { fleetHandlers } from './fleet.ts';
import type { AdminGround } from './ground.ts';
import { shardHandlers } from './shards.ts';
import { vmHandlers } from './vms.ts';

export type { ActorRow, ActorRows } from './actors.ts';

/** What `shoal ps` and its friends ask for, by verb. */
export function adminHandlers(ground: AdminGround): Readonly<Record<string, AdminHandler>> {
  return { ...vmHandlers(ground), ...fleetHandlers(ground), ...actorHandlers(ground), ...shardHandlers(ground) };
}
