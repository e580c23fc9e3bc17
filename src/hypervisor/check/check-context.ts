import type { Clock } from '../../actors/mod.ts';
import type { GuestConnection, Machine, MachineSpec } from '../port.ts';
import type { ImageProfile } from '../profile/profile.ts';
import type { Asker } from './asker.ts';
import type { CheckList } from './check-point.ts';
import type { Heard } from './heard.ts';

/** What the steps of a check share. */
export interface CheckContext {
  readonly list: CheckList;
  readonly heard: Heard;
  readonly asker: Asker;
  readonly profile: ImageProfile;
  readonly spec: MachineSpec;
  readonly machine: Machine;
  readonly connect: () => GuestConnection;
  readonly clock: Clock;
  /** How long the guest may take to answer. */
  readonly stepMs: number;
  readonly found: {
    /** Requests that it has answered. */
    answered: number;
    /** Why the load that it reported cannot be true. */
    tooBusy: string | undefined;
  };
}
