export { type AcceleratorProbe, chooseAccelerator, recallAccelerator } from './accelerator/accelerator.ts';
export type { AcceleratorChoice, AcceleratorOption, HostFacts } from './accelerator/choose.ts';
export { readHostFacts } from './accelerator/host-facts.ts';
export type { LogLine } from './console/guest-log.ts';
export {
  type ControllerMessage,
  type ControllerOptions,
  controller,
  MEMORY_MIB,
  type OnStop,
  STOP_LIMITS,
  type VmParameters,
  type VmSummary,
} from './controller.ts';
export { type LinkOptions, link, type RelayMessage } from './link/link.ts';
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
export type { HostNotice, LogBatch, RelayedLine } from './vm/vm-messages.ts';
export type { StopLimits } from './vm/vm-state.ts';
