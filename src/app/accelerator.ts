import { join } from 'node:path';
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
import { makeFolder } from '../process/mod.ts';
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
  const folder = cacheDir();
  makeCache(folder);
  const probe = {
    option: options.accelerator,
    image,
    memoryMib: MEMORY_MIB,
    qemu: QEMU_DEFAULT,
    memoryPath: join(folder, FILE),
  };
  if (options.accelerator !== 'auto')
    return { accelerator: options.accelerator, why: `asked for by --accel ${options.accelerator}` };
  const known = await recallAccelerator(probe);
  if (known !== undefined) return known;
  // VMs that were adopted hold every address: nothing can be measured now, and KVM is what most hosts do best with.
  if (address === undefined)
    return { accelerator: 'kvm', why: 'no address is free to measure on; measured at a later start' };
  options.onProgress('measuring once whether KVM or emulation is better for this image here');
  // Probed VMs have run directories of their own: nobody adopts them.
  const choice = await chooseAccelerator({
    ...probe,
    address,
    hypervisor: createQemuHypervisor({ fleetTag: `${tag}-probe`, spawner }),
  });
  options.onProgress(`accelerator ${choice.accelerator}: ${choice.why}`);
  return choice;
}

/** A user without a home has no cache, and what was measured is measured again at the next start. */
function makeCache(folder: string): void {
  try {
    makeFolder(folder);
  } catch {
    // Nothing will be remembered.
  }
}

/** What `--accel auto` means on this host for this image, for people; undefined if it has to measure first. */
export async function rememberedAccelerator(imagePath: string): Promise<string | undefined> {
  const image = await inspectImage(imagePath).catch(() => undefined);
  if (image === undefined) return undefined;
  const choice = await recallAccelerator({ image, qemu: QEMU_DEFAULT, memoryPath: join(cacheDir(), FILE) });
  return choice === undefined ? undefined : `${choice.accelerator}: ${choice.why}`;
}
