import { createServer } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { Params } from '../../fleet/mod.ts';
import { bootAlone, type Hypervisor, type VmParameters } from '../../hypervisor/mod.ts';

export interface BootOnceOptions {
  /** The host's, which tells how much memory there is. */
  readonly hypervisor: Hypervisor;
  /** Makes VMs that no Shoal adopts. */
  readonly probe: Hypervisor;
  readonly params: Params;
  readonly parameters: VmParameters;
  readonly clock: Clock;
}

const HOST = '127.0.0.1';
const MIB = 1024 * 1024;
/** QEMU's own, beside the memory of the guest. */
const QEMU_MIB = 16;

/**
 * Boots an image on a VM of its own, which has none of the pool's addresses, and ends it.
 * @throws what keeps it from being ready: VM_BOOT_TIMEOUT, VM_GONE, LINK_LOST, what `prepare` throws
 */
export async function bootOnce({ hypervisor, probe, params, parameters, clock }: BootOnceOptions): Promise<void> {
  const { image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax, bootTimeoutMs } = parameters;
  const neededBytes = (memoryMib + QEMU_MIB) * MIB + params.hostMemoryReserveBytes;
  const availableBytes = await hypervisor.availableBytes();
  if (availableBytes < neededBytes) {
    const free = Math.floor(availableBytes / MIB);
    throw new ShoalError(
      'VM_GONE',
      `it cannot be tried, because the host has ${free} MiB free: a VM takes ${memoryMib + QEMU_MIB}, and host_memory_reserve_bytes is to stay`,
    );
  }
  const address = { id: PROBE_ID, ip: HOST, port: await freePort() };
  const vm = PROBE_ID;
  const spec = { vm, address, image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax };
  await bootAlone(probe, spec, bootTimeoutMs, clock);
}

/** In a fleet tag of its own any number does. */
const PROBE_ID = 1;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
