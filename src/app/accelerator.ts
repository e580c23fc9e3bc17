import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ShoalError } from '../errors.ts';
import type { Address } from '../fleet/mod.ts';
import {
  type AcceleratorChoice,
  chooseAccelerator,
  createQemuHypervisor,
  type ImageInfo,
  inspectImage,
  MEMORY_MIB,
  QEMU_DEFAULT,
  recallAccelerator,
} from '../hypervisor/mod.ts';
import type { Spawner } from '../process/mod.ts';
import { cacheDir } from './paths.ts';
import type { UpOptions } from './up-options.ts';

const FILE = 'accelerator.json';

/** Carries `--accel` out; `auto` measures once a host and image, which takes seconds. */
export async function accelerator(
  options: UpOptions,
  image: ImageInfo,
  tag: string,
  spawner: Spawner,
  address: Address | undefined,
): Promise<AcceleratorChoice> {
  if (address === undefined)
    throw new ShoalError('POOL_INVALID', 'There is no address in the pool; name some with --pool');
  const folder = cacheDir();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const probe = {
    option: options.accelerator,
    image,
    memoryMib: MEMORY_MIB,
    qemu: QEMU_DEFAULT,
    memoryPath: join(folder, FILE),
    address,
  };
  const known = options.accelerator === 'auto' ? await recallAccelerator(probe) : undefined;
  if (known !== undefined) return known;
  if (options.accelerator === 'auto')
    options.onProgress('measuring once whether KVM or emulation is better for this image here');
  // Probed VMs have run directories of their own: nobody adopts them.
  const choice = await chooseAccelerator({
    ...probe,
    hypervisor: createQemuHypervisor({ fleetTag: `${tag}-probe`, spawner }),
  });
  options.onProgress(`accelerator ${choice.accelerator}: ${choice.why}`);
  return choice;
}

/** What `--accel auto` means on this host for this image, for people; undefined if it has to measure first. */
export async function rememberedAccelerator(imagePath: string): Promise<string | undefined> {
  const image = await inspectImage(imagePath).catch(() => undefined);
  if (image === undefined) return undefined;
  const choice = await recallAccelerator({ image, qemu: QEMU_DEFAULT, memoryPath: join(cacheDir(), FILE) });
  return choice === undefined ? undefined : `${choice.accelerator}: ${choice.why}`;
}
