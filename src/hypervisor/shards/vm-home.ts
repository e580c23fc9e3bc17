import type { ChildOptions } from '../../supervisor/mod.ts';
import type { Hypervisor } from '../port.ts';
import { vmActor } from '../vm/vm-actor.ts';
import type { VmMessage } from '../vm/vm-messages.ts';
import type { VmOptions } from '../vm/vm-options.ts';

/** The options of a VM's actor that are the same wherever it lives. */
export type VmTask = Omit<VmOptions, 'checkpoint' | 'saveTo'>;

/** Where the actors of VMs live. */
export interface VmHome {
  /** @param onShard told on which thread the actor is, each time that it starts; never on the main thread */
  actor(task: VmTask, onShard: (shard: number) => void): Pick<ChildOptions<VmMessage>, 'start' | 'mailbox'>;
}

/** The home on the thread of the controller. */
export function homeHere(hypervisor: Hypervisor): VmHome {
  return { actor: (task) => ({ start: vmActor(task, hypervisor) }) };
}
