export type {
  Accelerator,
  Found,
  GuestConnection,
  Hypervisor,
  Machine,
  MachineExit,
  MachineSpec,
  Manifest,
} from './port.ts';
export { createQemuHypervisor, findProgram, QEMU_DEFAULT, type QemuOptions } from './qemu/hypervisor.ts';
export { type ImageInfo, inspectImage } from './qemu/image.ts';
export { runtimeRoot } from './qemu/run-directory.ts';
