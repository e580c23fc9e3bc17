import type { Ref } from '../../actors/mod.ts';
import type { HostNotice } from '../notices.ts';
import type { MachineSpec } from '../port.ts';
import type { VmCheckpoint } from './checkpoint.ts';
import type { StopLimits } from './lifecycle.ts';
import type { HostVmEvent } from './vm-events.ts';
import type { RelayedLine } from './vm-messages.ts';

/** What the actor of a VM goes by. */
export interface VmOptions {
  readonly spec: MachineSpec;
  /** A VM that is to be made, or one that was found running. */
  readonly origin: 'new' | 'found';
  readonly bootTimeoutMs: number;
  readonly stopLimits: StopLimits;
  /** Where the guest's log is kept; undefined: in memory only. */
  readonly logFolder: string | undefined;
  readonly events: Ref<HostVmEvent>;
  readonly relays: Ref<RelayedLine> | undefined;
  readonly notices: Ref<HostNotice> | undefined;
  /** That of an earlier actor of this VM; undefined for the first. */
  readonly checkpoint?: VmCheckpoint;
  /** Told each checkpoint, in case the thread of this actor is lost. */
  readonly saveTo?: Ref<VmCheckpoint>;
}
