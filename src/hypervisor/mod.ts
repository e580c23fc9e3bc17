export { type AcceleratorProbe, chooseAccelerator, recallAccelerator } from './accelerator/accelerator.ts';
export type { AcceleratorChoice, AcceleratorOption, HostFacts } from './accelerator/choose.ts';
export { readHostFacts } from './accelerator/host-facts.ts';
export type { LogLine } from './console/guest-log.ts';
export { controller } from './controller/controller.ts';
export type { ControllerMessage, VmSummary } from './controller/controller-messages.ts';
export {
  type ControllerOptions,
  MEMORY_MIB,
  type OnStop,
  STOP_LIMITS,
  type VmParameters,
} from './controller/controller-options.ts';
export { type LinkOptions, link, type RelayMessage } from './link/link.ts';
export type { HostNotice } from './notices.ts';
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
export { whyUncapped } from './qemu/cgroup.ts';
export { findProgram, QEMU_DEFAULT } from './qemu/host-tools.ts';
export { createQemuHypervisor, type QemuOptions } from './qemu/hypervisor.ts';
export { type ImageInfo, inspectImage } from './qemu/image.ts';
export { runtimeRoot } from './qemu/run-directory.ts';
export type { VmHome } from './shards/vm-home.ts';
export { startVmShards, type VmShards } from './shards/vm-shards.ts';
export type { StopLimits } from './vm/lifecycle.ts';
export type { LogBatch, RelayedLine } from './vm/vm-messages.ts';
