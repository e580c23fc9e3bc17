import type { ActorSystem, Ref } from '../../actors/mod.ts';
import { type Spawner, SpawnService } from '../../process/mod.ts';
import { createShards, moduleBeside, type ShardEvent, type Shards } from '../../shards/mod.ts';
import { NEW_CHECKPOINT, type VmCheckpoint } from '../vm/checkpoint.ts';
import type { behaviours, VmShardOptions } from './vm-behaviours.ts';
import type { VmHome } from './vm-home.ts';

export interface VmShardsOptions {
  readonly system: ActorSystem;
  readonly count: number;
  readonly qemu: VmShardOptions['qemu'];
  readonly spawner: Spawner;
  readonly onEvent: (event: ShardEvent) => void;
}

/** Worker threads that watch the VMs of a host. */
export interface VmShards {
  readonly home: VmHome;
  readonly shards: Omit<Shards<typeof behaviours>, 'actor'>;
}

/** Longer than an actor needs to let go of its VM in order. */
const STOP_TIMEOUT_MS = 5_000;

/** Starts the threads; `shards.stop()` ends them, after the controller. */
export function startVmShards({ system, count, qemu, spawner, onEvent }: VmShardsOptions): VmShards {
  const service = new SpawnService(spawner);
  const spawnerRef = system.spawn(service.behaviour(), { name: 'spawner' });
  const shards = createShards<typeof behaviours>({
    system,
    count,
    module: moduleBeside(import.meta.url, 'vm-behaviours'),
    options: { qemu, spawner: spawnerRef },
    onEvent,
  });
  const home: VmHome = {
    actor(task, onShard) {
      let checkpoint = NEW_CHECKPOINT;
      const saveTo: Ref<VmCheckpoint> = {
        path: '/vm-checkpoint',
        tell: (latest) => {
          checkpoint = latest;
          return true;
        },
      };
      const args = async (): Promise<Parameters<ReturnType<typeof behaviours>['vm']>[0]> => {
        // The lost thread may have asked for a QEMU that is only coming up, and that an immediate look would not
        // find.
        if (checkpoint.tried) await service.settled();
        const options = { ...task, checkpoint, saveTo };
        // From here on there may be a machine to adopt.
        checkpoint = { ...checkpoint, tried: true };
        return options;
      };
      return shards.actor('vm', args, { stopTimeoutMs: STOP_TIMEOUT_MS, onPlaced: onShard });
    },
  };
  return { home, shards };
}
