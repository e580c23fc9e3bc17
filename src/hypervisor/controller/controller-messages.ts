import type { Ref } from '../../actors/mod.ts';
import type { Address, HostCommand, VmId } from '../../fleet/mod.ts';
import type { LogLine } from '../console/guest-log.ts';
import type { Accelerator, QemuBuild, VmNetwork } from '../port.ts';
import type { LogBatch } from '../vm/vm-messages.ts';
import type { OnStop, VmParameters } from './controller-options.ts';

export type ControllerMessage =
  | Exclude<HostCommand, { kind: 'stop' }>
  /** @param graceMs how long the guest may take to finish its work once it was asked to stop */
  | (Extract<HostCommand, { kind: 'stop' }> & { readonly graceMs?: number })
  /**
   * The listener to the events knows nothing any more: all VMs are told of as if they had been found, then comes
   * `host-up` with this number.
   */
  | { readonly kind: 'announce'; readonly census: number }
  | { readonly kind: 'set-parameters'; readonly parameters: Partial<VmParameters> }
  | { readonly kind: 'set-on-stop'; readonly onStop: OnStop; readonly replyTo?: Ref<true> }
  | { readonly kind: 'vms'; readonly replyTo: Ref<readonly VmSummary[]> }
  | LogMessage;

/** About the log of one guest. */
export type LogMessage =
  /** The last lines, oldest first; of a VM that is gone too, if its log is kept. */
  | { readonly kind: 'logs'; readonly vm: VmId; readonly linesMax: number; readonly replyTo: Ref<readonly LogLine[]> }
  | { readonly kind: 'follow-logs'; readonly vm: VmId; readonly to: Ref<LogBatch> }
  | { readonly kind: 'unfollow-logs'; readonly vm: VmId; readonly to: Ref<LogBatch> };

/** One VM that the controller has an actor for. */
export interface VmSummary {
  readonly vm: VmId;
  readonly address: Address;
  /** SHA-256 of the image that it was made from. */
  readonly imageDigest: string;
  readonly accelerator: Accelerator;
  readonly network: VmNetwork;
  /** Undefined: the full build, of a VM that an older Shoal has made. */
  readonly qemu: QemuBuild | undefined;
  /** Undefined until its process is known. */
  readonly pid: number | undefined;
  /** The thread that watches it; undefined on the main thread, and while it is being started. */
  readonly shard: number | undefined;
}
