import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Accelerator, Hypervisor, MachineSpec, QemuBuild } from '../port.ts';
import { loadImage } from '../qemu/load-image.ts';
import { type RealHypervisor, realHypervisor, usableAccelerators } from '../testing/mod.ts';
import { type AcceleratorProbe, chooseAccelerator } from './accelerator.ts';

const NESTED = { kvmUnusable: undefined, nested: true };

async function probe(real: RealHypervisor): Promise<AcceleratorProbe> {
  return {
    option: 'auto',
    image: real.image,
    qemu: 'qemu-system-x86_64',
    memoryPath: join(real.folder, 'accelerators.json'),
    hypervisor: real.hypervisor,
    address: await real.freeAddress(),
    facts: NESTED,
  };
}

describe('the probe of the accelerators, on real QEMU', () => {
  it('measures once, remembers the result and leaves no VM behind', async () => {
    await using real = await realHypervisor();
    const asked = await probe(real);
    const first = await chooseAccelerator(asked);
    expect(usableAccelerators()).toContain(first.accelerator);
    expect(await real.hypervisor.list()).toEqual([]);
    // An image that no longer exists could not be measured again.
    expect(await chooseAccelerator({ ...asked, image: { ...asked.image, path: '/nowhere' } })).toEqual(first);
  });

  it('measures again when what it remembers is damaged', async () => {
    await using real = await realHypervisor();
    const asked = await probe(real);
    writeFileSync(asked.memoryPath, '{"half');
    await chooseAccelerator(asked);
    expect(Object.values(JSON.parse(readFileSync(asked.memoryPath, 'utf8')))).toHaveLength(1);
  });

  it('measures on the network and the QEMU of the VMs to come', async () => {
    await using real = await realHypervisor();
    const specs: MachineSpec[] = [];
    const hypervisor: Pick<Hypervisor, 'prepare'> = {
      prepare: (spec) => {
        specs.push(spec);
        return Promise.reject(new Error('seen'));
      },
    };
    const qemuOf = (accelerator: Accelerator): QemuBuild => ({
      program: `qemu-for-${accelerator}`,
      confinement: 'sandbox',
      why: 'for a test',
    });
    // Nothing else is asked of it.
    const asked = { ...(await probe(real)), network: 'none', qemuOf, hypervisor: hypervisor as Hypervisor } as const;
    await expect(chooseAccelerator(asked)).rejects.toThrow('seen');
    expect(specs).toMatchObject([{ accelerator: 'tcg', network: 'none', qemu: { program: 'qemu-for-tcg' } }]);
  });

  it('says why an image cannot be measured that ends, and does not wait for it', async () => {
    await using real = await realHypervisor();
    const asked = await probe(real);
    // It would be waited for as long as an image may take to boot.
    const image = await loadImage(asked.image.path, { set: { memoryMib: '3', bootTimeoutMs: '3600000' } });
    await expect(chooseAccelerator({ ...asked, image })).rejects.toMatchObject({
      code: 'VM_GONE',
      message: expect.stringContaining('too-little-memory); raise'),
    });
    expect(await real.hypervisor.list()).toEqual([]);
  });

  it('does as it is told', async () => {
    await using real = await realHypervisor();
    expect(await chooseAccelerator({ ...(await probe(real)), option: 'tcg' })).toMatchObject({ accelerator: 'tcg' });
  });
});
