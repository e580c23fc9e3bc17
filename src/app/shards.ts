import { availableParallelism } from 'node:os';
import type { ActorSystem } from '../actors/mod.ts';
import { startVmShards, type VmShards } from '../hypervisor/mod.ts';
import type { Spawner } from '../process/mod.ts';
import type { ShardNews } from '../shards/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { NewsBoard } from './news-board.ts';
import type { UpOptions } from './up-options.ts';

/** More would cost memory and start no VM sooner. */
export const SHARDS_MAX = 64;

/** All cores but that of the main thread. */
export function shardsDefault(): number {
  return Math.min(SHARDS_MAX, Math.max(1, availableParallelism() - 1));
}

export interface ShardsGround {
  readonly options: UpOptions;
  readonly system: ActorSystem;
  readonly spawner: Spawner;
  readonly tag: string;
  readonly news: NewsBoard;
}

/** Starts the threads that VMs are watched from; none if none are wanted. */
export function startShards(ground: ShardsGround, cleanUp: CleanUp): VmShards | undefined {
  const { options, system, spawner, tag, news } = ground;
  if (options.shards === 0) return undefined;
  const vmShards = startVmShards({
    system,
    count: options.shards,
    qemu: { fleetTag: tag },
    spawner,
    onNews: (one) => tell(one, options.host, news),
  });
  cleanUp.add(() => vmShards.shards.stop());
  return vmShards;
}

/** That a thread came up is no news. */
function tell(one: ShardNews, host: string, news: NewsBoard): void {
  if (one.kind !== 'shard-lost') return;
  const { error } = one;
  const text = `${error.message}; its VMs go on, and are watched from another`;
  news.add({ atMs: Date.now(), kind: 'shard-lost', host, text, error });
}
