import { join } from 'node:path';
import { toEnvelope } from '../errors.ts';
import type { Address } from '../fleet/mod.ts';
import {
  type Accelerator,
  type AcceleratorChoice,
  type AcceleratorOption,
  checkAllowed,
  chooseAccelerator,
  type ImageInfo,
  loadImage,
  type ProfileChoice,
  QEMU_DEFAULT,
  recallAccelerator,
  type VmNetwork,
} from '../hypervisor/mod.ts';
import type { Spawner } from '../process/mod.ts';
import { makeFolder } from '../process/mod.ts';
import { cacheDir } from './paths.ts';
import { openProbe } from './probe.ts';
import type { QemuOf } from './qemu.ts';
import type { UpOptions } from './up-options.ts';

const FILE = 'accelerator.json';

/** What `--network` and `--qemu` say. */
export type MachineOptions = Pick<UpOptions, 'network' | 'qemu'>;

/** Chooses the accelerator by `--accel`. `auto` measures once for each host and image, which takes seconds. */
export async function accelerator(
  options: UpOptions,
  image: ImageInfo,
  tag: string,
  spawner: Spawner,
  qemuOf: QemuOf,
  address: Address | undefined,
): Promise<AcceleratorChoice> {
  if (options.role === 'server') return { accelerator: 'tcg', why: 'this host has no VMs' };
  makeCache(cacheDir());
  const probe = {
    option: options.accelerator,
    image,
    ...machineOf(options),
    qemuOf: (one: Accelerator) => qemuOf({ profile: image.profile, accelerator: one }),
  };
  if (options.accelerator !== 'auto') {
    checkAllowed(options.accelerator, image.profile, options.image);
    return { accelerator: options.accelerator, why: `asked for by --accel ${options.accelerator}` };
  }
  const known = await recallAccelerator(probe);
  if (known !== undefined) return known;
  if (!runsOn(probe.qemuOf, 'tcg')) return { accelerator: 'kvm', why: `the only one that ${probe.qemu} has` };
  // Adopted VMs hold every address, so nothing can be measured now. The built-in image's profile names KVM first.
  if (address === undefined) {
    const [first = 'kvm'] = image.profile.accelerators;
    return { accelerator: first, why: 'no address is free to measure on; measured at a later start' };
  }
  options.onProgress('measuring once whether KVM or emulation is better for this image here');
  const choice = await chooseAccelerator({ ...probe, address, hypervisor: await openProbe(tag, spawner) });
  options.onProgress(`accelerator ${choice.accelerator}: ${choice.why}`);
  return choice;
}

/** What a measurement is kept by, besides the image and the host. */
function machineOf({ network = 'user', qemu = 'auto' }: MachineOptions): {
  readonly network: VmNetwork;
  readonly qemu: string;
  readonly memoryPath: string;
} {
  return { network, qemu: qemu === 'auto' ? QEMU_DEFAULT : qemu, memoryPath: join(cacheDir(), FILE) };
}

/** Whether the QEMU that was named, if one was, has that accelerator. */
function runsOn(qemuOf: (accelerator: Accelerator) => unknown, one: Accelerator): boolean {
  try {
    qemuOf(one);
    return true;
  } catch (error) {
    if (toEnvelope(error).code === 'CONFIG_VALUE') return false;
    throw error;
  }
}

/** Without a cache, for a user without a home, the next start measures again. */
function makeCache(folder: string): void {
  try {
    makeFolder(folder);
  } catch {
    // The result of the measurement is not kept.
  }
}

/**
 * The known choice of `--accel auto` for this host and image; undefined if it must be measured first.
 * @throws RIGHTS_MISSING if the image runs only under an accelerator that cannot be used
 */
function knownAccelerator(image: ImageInfo, machine: MachineOptions): Promise<AcceleratorChoice | undefined> {
  return recallAccelerator({ image, ...machineOf(machine) });
}

/**
 * What `up` would take, where nothing is measured.
 * @param guess if nothing is known; default: the one that the profile prefers
 * @throws CONFIG_VALUE if the profile rules out what was asked for; RIGHTS_MISSING as `knownAccelerator`
 */
export async function unmeasuredAccelerator(
  image: ImageInfo,
  option: AcceleratorOption,
  machine: MachineOptions,
  guess?: Accelerator,
): Promise<Accelerator> {
  if (option !== 'auto') {
    checkAllowed(option, image.profile, image.path);
    return option;
  }
  const known = await knownAccelerator(image, machine);
  return known?.accelerator ?? guess ?? image.profile.accelerators[0] ?? 'tcg';
}

/** The known choice of `--accel auto` for this host and image, for people; undefined if it must be measured first. */
export async function rememberedAccelerator(
  imagePath: string,
  choice: ProfileChoice = {},
): Promise<string | undefined> {
  const image = await loadImage(imagePath, choice).catch(() => undefined);
  if (image === undefined) return undefined;
  const known = await knownAccelerator(image, {}).catch((error: unknown) => toEnvelope(error).message);
  if (known === undefined || typeof known === 'string') return known;
  return `${known.accelerator}: ${known.why}`;
}
