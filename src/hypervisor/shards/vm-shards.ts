import type { ActorSystem, Ref } from '../../actors/mod.ts';
import { SpawnDesk, type Spawner } from '../../process/mod.ts';
import { createShards, moduleBeside, type ShardEvent, type Shards } from '../../shards/mod.ts';
import { NEW_LIFE, type VmLife } from '../vm/vm-life.ts';
import type { behaviours, VmShardOptions } from './vm-behaviours.ts';
import type { VmHome } from './vm-home.ts';

export interface VmShardsOptions {
  readonly system: ActorSystem;
  readonly count: number;
  readonly qemu: VmShardOptions['qemu'];
  readonly spawner: Spawner;
  readonly onEvent: (news: ShardEvent) => void;
}

/** Worker threads that the VMs of a host are watched from. */
export interface VmShards {
  readonly home: VmHome;
  readonly shards: Omit<Shards<typeof behaviours>, 'actor'>;
}

/** Above the orderly end of an actor that lets go of its VM. */
const STOP_TIMEOUT_MS = 5_000;

/** Starts the threads; `shards.stop()` ends them, after the controller. */
export function startVmShards({ system, count, qemu, spawner, onEvent }: VmShardsOptions): VmShards {
  const desk = new SpawnDesk(spawner);
  const spawnerRef = system.spawn(desk.behaviour(), { name: 'spawner' });
  const shards = createShards<typeof behaviours>({
    system,
    count,
    module: moduleBeside(import.meta.url, 'vm-behaviours'),
    options: { qemu, spawner: spawnerRef },
    onEvent,
  });
  const home: VmHome = {
    actor(task, onShard) {
      let life = NEW_LIFE;
      const keep: Ref<VmLife> = {
        path: '/vm-life',
        tell: (known) => {
          life = known;
          return true;
        },
      };
      const args = async (): Promise<Parameters<ReturnType<typeof behaviours>['vm']>[0]> => {
        // The thread that was lost may have asked for a QEMU that is only coming up: whoever looked at once would not find it.
        if (life.tried) await desk.settled();
        const known = { ...task, life, keep };
        // From here on there may be something to be taken over.
        life = { ...life, tried: true };
        return known;
      };
      return shards.actor('vm', args, { stopTimeoutMs: STOP_TIMEOUT_MS, onPlaced: onShard });
    },
  };
  return { home, shards };
}
