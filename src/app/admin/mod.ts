import type { AdminHandler } from '../../transport/mod.ts';
import { actorHandlers } from './actors.ts';
import { cordonHandlers } from './cordon.ts';
import type { AdminDeps } from './deps.ts';
import { explainHandlers } from './explain.ts';
import { fleetHandlers } from './fleet.ts';
import { imageHandlers } from './images.ts';
import { shardHandlers } from './shards.ts';
import { vmHandlers } from './vms.ts';

export type { ActorRow, ActorRows } from './actors.ts';

/** What `shoal ps` and its friends ask for, by verb. */
export function adminHandlers(deps: AdminDeps): Readonly<Record<string, AdminHandler>> {
  return {
    ...vmHandlers(deps),
    ...cordonHandlers(deps),
    ...fleetHandlers(deps),
    ...explainHandlers(deps),
    ...actorHandlers(deps),
    ...shardHandlers(deps),
    ...imageHandlers(deps),
  };
}
