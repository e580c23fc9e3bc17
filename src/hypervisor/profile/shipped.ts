import { isDeepStrictEqual } from 'node:util';
import type { VmMemory } from '../../fleet/mod.ts';
import { KeptOnce } from '../../kept-once.ts';
import type { MachineSpec } from '../port.ts';
import type { ImageProfile, PowerOff } from './profile.ts';

/** The words of the guest contract. */
export const CONTRACT_COMMAND_LINE =
  'shoal.id={id} shoal.bind={bind} shoal.gw={gw} shoal.port={port} shoal.addr={addr} shoal.status_ms={statusMs} shoal.max={max}';

/** Of a clean stop. A value that the guest writes to port 0xf4 becomes the exit code (value * 2) + 1. */
export const EXIT_CODE_STOPPED = 67;

/** Of the built-in image, of services that are built like it, and of every image that has no profile. */
export const BUILT_IN_PROFILE: ImageProfile = {
  machine: 'microvm',
  boot: 'pvh',
  commandLine: CONTRACT_COMMAND_LINE,
  memoryMib: 16,
  networkDevice: 'virtio-net-device',
  network: 'user',
  protocol: 'frames',
  console: { format: 'shoal' },
  payload: 'text',
  powerOff: { by: 'isa-debug-exit', code: EXIT_CODE_STOPPED, ask: 'console' },
  bootTimeoutMs: 10_000,
  accelerators: ['kvm', 'tcg'],
};

/**
 * Of IncludeOS, as one ELF32 file with a multiboot header. It has drivers for PCI only, and cannot run under a KVM
 * that is nested as this project's was: its ring 0 uses instructions that such a KVM does not emulate.
 */
const INCLUDEOS_PROFILE: ImageProfile = {
  ...BUILT_IN_PROFILE,
  machine: 'pc',
  boot: 'multiboot',
  networkDevice: 'virtio-net-pci',
  memoryMib: 32,
  // The least that it was seen to run with.
  memoryMinMib: 30,
  accelerators: ['tcg'],
};

/**
 * Of a distribution's kernel with an initial ramdisk. Such kernels take no virtio device from microvm's command line,
 * and hang there at times over the TSC.
 */
const LINUX_PROFILE: ImageProfile = {
  ...BUILT_IN_PROFILE,
  machine: 'pc',
  boot: 'linux',
  initrd: 'initramfs.cpio.gz',
  commandLine: `console=ttyS0 quiet panic=-1 ${CONTRACT_COMMAND_LINE}`,
  networkDevice: 'virtio-net-pci',
  memoryMib: 96,
  // The least that one was seen to run with.
  memoryMinMib: 76,
  // Measured: 3.8 s on an idle machine, 13 s on one with five others at work.
  bootTimeoutMs: 45_000,
  powerOff: { by: 'bye', ask: 'console' },
  accelerators: ['tcg', 'kvm'],
};

/** The profiles that come with Shoal, by name. */
export const SHIPPED_PROFILES: Readonly<Record<string, ImageProfile>> = {
  'built-in': BUILT_IN_PROFILE,
  includeos: INCLUDEOS_PROFILE,
  linux: LINUX_PROFILE,
};

export function profileOf({ profile = BUILT_IN_PROFILE }: Pick<MachineSpec, 'profile'>): ImageProfile {
  return profile;
}

/** How a machine tells that its stop was clean. The small build has no device for an exit code: then the guest's word counts. */
export function powerOffOf({ profile, qemu }: Pick<MachineSpec, 'profile' | 'qemu'>): PowerOff {
  const { powerOff } = profileOf({ profile });
  if (powerOff.by !== 'isa-debug-exit' || qemu?.confinement !== 'namespaces') return powerOff;
  return { by: 'bye', ask: powerOff.ask };
}

/** With less, the built-in image says that it has too little memory for the longest text: what it is told as `shoal.max`. */
const BUILT_IN_MEMORY_MIN_MIB = 7;

/** The least memory that an image runs with, as far as its profile says. */
export function leastMemoryMib(profile: ImageProfile): number {
  return profile.memoryMinMib ?? (isBuiltIn(profile) ? BUILT_IN_MEMORY_MIN_MIB : 1);
}

/** The memory of a machine, beside what its image has and needs. */
export function memoryOf(spec: Pick<MachineSpec, 'profile' | 'memoryMib'>): VmMemory {
  const profile = profileOf(spec);
  return memory.of({ mib: spec.memoryMib, usualMib: profile.memoryMib, leastMib: leastMemoryMib(profile) });
}

/** The router keeps that of each VM, and most have the same. */
const memory = new KeptOnce<VmMemory>();

/** Whether an image of this profile runs on the machine of the built-in image, as every image did before profiles. */
export function isBuiltIn(profile: ImageProfile): boolean {
  return isDeepStrictEqual(profile, BUILT_IN_PROFILE);
}
