import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { Params } from '../../fleet/mod.ts';
import {
  type Accelerator,
  checkImage,
  firstFailed,
  type Hypervisor,
  type ImageInfo,
  QEMU_OWN_BYTES,
  type QemuBuild,
  type VmNetwork,
} from '../../hypervisor/mod.ts';
import { freeAddress } from '../image-check.ts';
import { memoryMibFor } from '../profile-params.ts';

export interface BootOnceOptions {
  readonly image: ImageInfo;
  readonly accelerator: Accelerator;
  readonly network: VmNetwork;
  /** Absent: the full build. */
  readonly qemu?: QemuBuild | undefined;
  /** The host's, which tells how much memory there is. */
  readonly hypervisor: Hypervisor;
  /** Makes VMs that no Shoal adopts. */
  readonly probe: Hypervisor;
  readonly params: Params;
  readonly clock: Clock;
  /** Ends the VM, and the check as failed. */
  readonly signal?: AbortSignal;
}

const MIB = 1024 * 1024;

/**
 * Boots an image on a VM of its own, which has none of the pool's addresses, and looks whether it keeps the contract.
 * @throws VM_CONTRACT with the first point that failed
 */
export async function bootOnce({
  image,
  accelerator,
  network,
  qemu,
  hypervisor,
  probe,
  params,
  clock,
  signal,
}: BootOnceOptions): Promise<void> {
  const memoryMib = memoryMibFor(params, image.profile);
  const neededMib = memoryMib + QEMU_OWN_BYTES / MIB;
  const availableBytes = await hypervisor.availableBytes();
  if (availableBytes < neededMib * MIB + params.hostMemoryReserveBytes) {
    const free = Math.floor(availableBytes / MIB);
    const why = `a VM takes ${neededMib} MiB of the ${free} that are free, and host_memory_reserve_bytes is to stay`;
    throw new ShoalError('VM_CONTRACT', `it cannot be tried, because the host is short of memory: ${why}`);
  }
  const address = await freeAddress();
  const ends = signal === undefined ? {} : { signal };
  const machine = { image, accelerator, network, qemu, address, memoryMib };
  const points = await checkImage({ hypervisor: probe, ...machine, clock, ...ends });
  const failed = firstFailed(points);
  if (failed !== undefined) throw new ShoalError('VM_CONTRACT', `its check failed at ${failed.name}: ${failed.why}`);
}
