import type { Behaviour, Ref } from '../../actors/mod.ts';
import { type SpawnerMessage, spawnerBehind } from '../../process/mod.ts';
import type { ShardHome } from '../../shards/mod.ts';
import { createQemuHypervisor, type QemuOptions } from '../qemu/hypervisor.ts';
import { vmActor } from '../vm/vm-actor.ts';
import type { VmMessage } from '../vm/vm-messages.ts';
import type { VmOptions } from '../vm/vm-options.ts';

export interface VmShardOptions {
  readonly qemu: Omit<QemuOptions, 'spawner' | 'clock'>;
  /** Spawning stays with the launcher, whose client lives on the main thread. */
  readonly spawner: Ref<SpawnerMessage>;
}

export type VmArgs = VmOptions;

/** The behaviours on the shards of a host: its VMs. */
export function behaviours(
  { system }: ShardHome,
  { qemu, spawner }: VmShardOptions,
): { readonly vm: (args: VmArgs) => Behaviour<VmMessage> } {
  const hypervisor = createQemuHypervisor({ ...qemu, spawner: spawnerBehind(system, spawner) });
  return { vm: (args) => vmActor(args, hypervisor) };
}
