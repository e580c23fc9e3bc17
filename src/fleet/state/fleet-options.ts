import type { Address } from '../values/address.ts';
import type { DeployState } from '../values/deploy.ts';
import type { Params } from '../values/params.ts';
import type { Control } from '../values/relay.ts';
import type { Reservation } from '../values/reservation.ts';
import type { Routing } from './vm-index.ts';

export interface FleetOptions {
  /** Name of the host. */
  readonly host: string;
  /** As of `RouterOptions`. */
  readonly census?: number | undefined;
  readonly params: Params;
  readonly pool: readonly Address[];
  /** Addresses that the tables give to VMs, whether these have been seen or not. */
  readonly held?: readonly Reservation[];
  /** SHA-256 of the image that VMs are started from; undefined: whatever the controller has. */
  readonly image?: string | undefined;
  /** One that an earlier router began. */
  readonly deploy?: DeployState | undefined;
  /** R2; default `pack`. */
  readonly routing?: Routing | undefined;
  /** R10; default `direct`. */
  readonly control?: Control | undefined;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
}
