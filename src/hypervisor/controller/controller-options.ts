import type { Ref } from '../../actors/mod.ts';
import type { HostEvent } from '../../fleet/mod.ts';
import type { HostNotice } from '../notices.ts';
import type { Hypervisor, MachineSpec } from '../port.ts';
import { BUILT_IN_PROFILE } from '../profile/shipped.ts';
import type { RelayDesk } from '../relay/relay-desk.ts';
import type { VmHome } from '../shards/vm-home.ts';
import type { StopLimits } from '../vm/lifecycle.ts';

/** How the VMs of a host are made. A change counts for VMs prepared from then on. */
export interface VmParameters extends Omit<MachineSpec, 'vm' | 'address'> {
  /** From the start of the CPU to ready. */
  readonly bootTimeoutMs: number;
  readonly stopLimits: StopLimits;
}

/** From the command to the console to the confirmation of a SIGKILL. */
export const STOP_LIMITS: StopLimits = { consoleMs: 2_000, quitMs: 1_000, terminateMs: 1_000, killMs: 5_000 };
/** Of the built-in image. */
export const MEMORY_MIB = BUILT_IN_PROFILE.memoryMib;

export interface ControllerOptions {
  readonly host: string;
  readonly hypervisor: Hypervisor;
  /** Where the actors of VMs live; default: on this thread. */
  readonly home?: VmHome;
  readonly parameters: VmParameters;
  /** What is different for VMs of the image with that digest, which a command may ask for; default: nothing. */
  readonly imageOf?: (digest: string) => Partial<VmParameters>;
  /** Told of every event of every VM, each VM's in order. */
  readonly events: Ref<HostEvent>;
  /** Told of conditions that an operator should look at. */
  readonly notices?: Ref<HostNotice>;
  /** The commands that guests relay (R10); without it every such line is refused. */
  readonly relayDesk?: RelayDesk;
  /** Where the logs of guests are kept, those of VMs that are gone too; without it they live in memory only. */
  readonly logFolder?: string;
  /** Ends the VMs that are found running instead of adopting them; default false. */
  readonly fresh?: boolean;
  /**
   * What happens to the VMs when the controller ends, in order or not; default `stop-vms`. After a crash of the
   * process they always go on.
   */
  readonly onStop?: OnStop;
  /** How often `host-stats` is told; default 1000. */
  readonly statsIntervalMs?: number;
}

export type OnStop = 'stop-vms' | 'keep-vms';
