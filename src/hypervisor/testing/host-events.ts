import type { Probe } from '../../actors/kit/mod.ts';
import type { Ref } from '../../actors/mod.ts';
import type { Address, HostEvent, VmId } from '../../fleet/mod.ts';
import type { ControllerMessage } from '../controller/controller-messages.ts';
import type { RealHypervisor } from './real-hypervisor.ts';

export type EventOf<K extends HostEvent['kind']> = Extract<HostEvent, { kind: K }>;

/** A match for the events of that kind about one VM. */
export function of<K extends HostEvent['kind']>(kind: K, vm: VmId): (event: HostEvent) => boolean {
  return (event) => event.kind === kind && 'vm' in event && event.vm === vm;
}

/** A controller, and a probe that its events go to. */
export interface Controlled {
  readonly controller: Ref<ControllerMessage>;
  readonly events: Probe<HostEvent>;
}

/** Prepares and starts a VM, and resolves when it answers. */
export async function answering(
  real: RealHypervisor,
  { controller, events }: Controlled,
  vm: VmId,
): Promise<{ address: Address; pid: number }> {
  const address = await real.freeAddress();
  controller.tell({ kind: 'prepare', vm, address });
  controller.tell({ kind: 'start', vm });
  const { pid } = await events.fishFor<EventOf<'vm-prepared'>>(of('vm-prepared', vm));
  await events.fishFor(of('vm-answering', vm));
  return { address, pid };
}
