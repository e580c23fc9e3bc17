import type { ChildOptions } from '../../supervisor/mod.ts';
import type { Hypervisor } from '../port.ts';
import { type VmOptions, vmActor } from '../vm/vm-actor.ts';
import type { VmMessage } from '../vm/vm-messages.ts';

/** What the actor of a VM is made from, wherever it lives. */
export type VmTask = Omit<VmOptions, 'hypervisor' | 'life' | 'keep'>;

/** Where the actors of VMs live. */
export interface VmHome {
  /** @param onShard told on which thread the actor is, each time that it starts; never on the main thread */
  actor(task: VmTask, onShard: (shard: number) => void): Pick<ChildOptions<VmMessage>, 'start' | 'mailbox'>;
}

/** On the thread of whoever asks. */
export function homeHere(hypervisor: Hypervisor): VmHome {
  return { actor: (task) => ({ start: vmActor({ ...task, hypervisor }) }) };
}
