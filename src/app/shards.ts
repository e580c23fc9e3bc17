import { availableParallelism } from 'node:os';
import type { ActorSystem } from '../actors/mod.ts';
import { startVmShards, type VmShards } from '../hypervisor/mod.ts';
import type { Spawner } from '../process/mod.ts';
import type { ShardEvent } from '../shards/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { EventLog } from './event-log.ts';
import type { FleetOptions } from './up-options.ts';

/** More threads cost memory and start no VM sooner. */
export const SHARDS_MAX = 64;

/** One for each core but the main thread's. */
export function shardsDefault(): number {
  return Math.min(SHARDS_MAX, Math.max(1, availableParallelism() - 1));
}

export interface ShardsDeps {
  readonly options: FleetOptions;
  readonly system: ActorSystem;
  readonly spawner: Spawner;
  readonly tag: string;
  readonly eventLog: EventLog;
}

/** Starts the threads on which VM actors run; undefined for `--shards 0`. */
export function startShards(deps: ShardsDeps, cleanUp: CleanUp): VmShards | undefined {
  const { options, system, spawner, tag, eventLog } = deps;
  if (options.shards === 0) return undefined;
  const vmShards = startVmShards({
    system,
    count: options.shards,
    qemu: { fleetTag: tag },
    spawner,
    onEvent: (one) => tell(one, options.host, eventLog),
  });
  cleanUp.add(() => vmShards.shards.stop());
  return vmShards;
}

/** Only the loss of a thread is an event. */
function tell(one: ShardEvent, host: string, eventLog: EventLog): void {
  if (one.kind !== 'shard-lost') return;
  const { error } = one;
  const text = `${error.message}; its VMs go on, and are watched from another`;
  eventLog.add({ atMs: eventLog.nowMs, kind: 'shard-lost', host, text, error });
}
