import { expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { makeParams } from '../../fleet/mod.ts';
import {
  BUILT_IN_PROFILE,
  type Hypervisor,
  type ImageInfo,
  type MachineSpec,
  type QemuBuild,
} from '../../hypervisor/mod.ts';
import { bootOnce } from './boot-once.ts';

const DIGEST = '0'.repeat(64);
const IMAGE: ImageInfo = {
  ...{ path: '/image', digest: DIGEST, fileDigest: DIGEST, bytes: 1 },
  ...{ profile: BUILT_IN_PROFILE, companion: undefined },
};
const MIB = 1024 * 1024;
const RESERVE_BYTES = 100 * MIB;
const QEMU_MIB = 16;

it('an image that fails its check is unfit, and it is said at what', async () => {
  const probe = { prepare: () => Promise.reject(new Error('no QEMU')) };
  const hypervisor = { availableBytes: async () => 2 ** 40 };
  const tried = bootOnce({
    image: IMAGE,
    accelerator: 'tcg',
    network: 'user',
    // Nothing else is asked of the two.
    hypervisor: hypervisor as Hypervisor,
    probe: probe as unknown as Hypervisor,
    params: makeParams(),
    clock: new ManualClock(),
  });
  const message = expect.stringMatching(/^its check failed at start: .*no QEMU/);
  await expect(tried).rejects.toMatchObject({ code: 'VM_CONTRACT', message });
});

it('an image is tried on the network and the QEMU of the VMs to come', async () => {
  const qemu: QemuBuild = { program: '/small', confinement: 'namespaces', why: 'for a test' };
  const specs: MachineSpec[] = [];
  const probe = {
    prepare: async (spec: MachineSpec) => {
      specs.push(spec);
      throw new Error('no QEMU');
    },
  };
  const hypervisor = { availableBytes: async () => 2 ** 40 };
  const tried = bootOnce({
    image: IMAGE,
    accelerator: 'kvm',
    network: 'none',
    qemu,
    // Nothing else is asked of the two.
    hypervisor: hypervisor as Hypervisor,
    probe: probe as unknown as Hypervisor,
    params: makeParams(),
    clock: new ManualClock(),
  });
  await expect(tried).rejects.toMatchObject({ code: 'VM_CONTRACT' });
  expect(specs).toMatchObject([{ accelerator: 'kvm', network: 'none', qemu }]);
});

it('an image is not tried while its VM would take memory that is to stay', async () => {
  const neededMib = BUILT_IN_PROFILE.memoryMib + QEMU_MIB;
  const freeBytes = neededMib * MIB + RESERVE_BYTES - 1;
  // Nothing else is asked of it before that.
  const hypervisor = { availableBytes: async () => freeBytes } as Hypervisor;
  const tried = bootOnce({
    image: IMAGE,
    accelerator: 'tcg',
    network: 'user',
    hypervisor,
    probe: hypervisor,
    params: makeParams({ host_memory_reserve_bytes: RESERVE_BYTES }),
    clock: new ManualClock(),
  });
  const why = `a VM takes ${neededMib} MiB of the ${neededMib + 99} that are free`;
  await expect(tried).rejects.toMatchObject({ code: 'VM_CONTRACT', message: expect.stringContaining(why) });
});
