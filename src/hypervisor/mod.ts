export { chooseAccelerator, recallAccelerator } from './accelerator/accelerator.ts';
export type { AcceleratorChoice, AcceleratorOption } from './accelerator/choose.ts';
export { readHostFacts } from './accelerator/host-facts.ts';
export { answering as guestAnswering, openGuest } from './accelerator/measured-guest.ts';
export { checkImage, type ImageCheckOptions } from './check/check-image.ts';
export { CHECK_POINTS, type CheckPoint, type CheckPointName, firstFailed } from './check/check-point.ts';
export { chooseQemu, type QemuFacts, type QemuNeeds, type QemuOption } from './confinement/choose-qemu.ts';
export { hasSandbox, readQemuFacts } from './confinement/qemu-facts.ts';
export { VM_USERS, vmUsers } from './confinement/vm-users.ts';
export { type LogLine, logPath } from './console/guest-log.ts';
export { controller } from './controller/controller.ts';
export type { ControllerMessage, VmSummary } from './controller/controller-messages.ts';
export { MEMORY_MIB, type OnStop, STOP_LIMITS, type VmParameters } from './controller/controller-options.ts';
export { QEMU_OWN_BYTES } from './controller/host-stats.ts';
export { FrameType } from './link/frame.ts';
export { FrameParser } from './link/frame-parser.ts';
export { FrameWriter } from './link/frame-writer.ts';
export { httpSettingsOf } from './link/http/http-settings.ts';
export { KeepAlive } from './link/keep-alive.ts';
export { type LinkOptions, link } from './link/link.ts';
export { LongWork } from './link/long-work.ts';
export type { HostNotice } from './notices.ts';
export type {
  Accelerator,
  CloseListener,
  Companion,
  Found,
  GuestConnection,
  Hypervisor,
  Machine,
  MachineExit,
  MachineSpec,
  Manifest,
  QemuBuild,
  VmNetwork,
} from './port.ts';
export { parseProfile } from './profile/parse-profile.ts';
export {
  type ConsoleProfile,
  companionField,
  type HttpProbe,
  type ImageProfile,
  type Payload,
  type PowerOff,
  type Protocol,
} from './profile/profile.ts';
export { profilePath, profileText, withoutExtension } from './profile/profile-file.ts';
export { type FoundProfile, findProfile, type ProfileChoice } from './profile/profile-source.ts';
export { BUILT_IN_PROFILE, isBuiltIn, leastMemoryMib, profileOf, SHIPPED_PROFILES } from './profile/shipped.ts';
export { whyUncapped } from './qemu/cgroup.ts';
export { checkAllowed, checkNetwork, checkProgram, findProgram, QEMU_DEFAULT } from './qemu/host-tools.ts';
export { createQemuHypervisor } from './qemu/hypervisor.ts';
export { differInCompanionOnly, IMAGE_BYTES_MAX, type ImageInfo, inspectImage, specOfImage } from './qemu/image.ts';
export { imagesInUse } from './qemu/images-in-use.ts';
export { type LoadedImage, loadImage } from './qemu/load-image.ts';
export { runtimeRoot } from './qemu/run-directory.ts';
export { RelayDesk } from './relay/relay-desk.ts';
export type { VmHome } from './shards/vm-home.ts';
export { startVmShards, type VmShards } from './shards/vm-shards.ts';
export { NEW_CHECKPOINT, type VmCheckpoint } from './vm/checkpoint.ts';
export { clearFound } from './vm/remains.ts';
export { vmActor } from './vm/vm-actor.ts';
export type { VmMessage } from './vm/vm-messages.ts';
export type { VmOptions } from './vm/vm-options.ts';
