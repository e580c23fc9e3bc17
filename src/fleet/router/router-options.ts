import type { SizingPolicy } from '../policy/sizing.ts';
import type { Routing } from '../state/vm-index.ts';
import type { Address } from '../values/address.ts';
import type { DeployState } from '../values/deploy.ts';
import type { Params } from '../values/params.ts';
import type { RelayPort } from '../values/relay.ts';
import type { Reservation } from '../values/reservation.ts';
import type { VmId } from '../values/vm-id.ts';
import type { EffectPorts, OrphanedReplyPort } from './effects.ts';
import type { OpenLink } from './links.ts';
import type { NeighbourPort } from './neighbour-messages.ts';
import type { StorePorts } from './store-writes.ts';

export interface RouterOptions extends EffectPorts, StorePorts {
  /** Name of the host. */
  readonly host: string;
  readonly params: Params;
  readonly pool: readonly Address[];
  /** R2; default `pack`. */
  readonly routing?: Routing;
  /** How many VMs run beyond the minimum; default: R3 and R5 as `docs/rules.md` states them. */
  readonly sizing?: SizingPolicy;
  /** SHA-256 of the image that VMs are started from; default: whatever the controller has. */
  readonly image?: string | undefined;
  /** A deploy that an earlier router began. */
  readonly deploy?: DeployState | undefined;
  readonly openLink: OpenLink;
  /** Never gives the same id twice in the life of a data directory. May throw: then nothing is started for a while. */
  readonly nextVmId: () => VmId;
  /** Addresses that the tables give to VMs; nothing is started on them before the controller has told whether it has those. */
  readonly held?: readonly Reservation[];
  /** The other hosts; without it there are none. */
  readonly neighbours?: NeighbourPort;
  /** R10: commands go through guests; without it they go direct. */
  readonly relays?: RelayPort;
  /** Whether the host is cordoned. It outlives the router, which sets it; without it a router begins without. */
  readonly cordon?: { isOn: boolean };
  /** The number under which the controller was asked to tell what it has; absent for the first router, which it tells by itself. */
  readonly census?: number | undefined;
  /** R11: without it replies that outlived their Shoal are dropped. */
  readonly orphanedReplies?: OrphanedReplyPort;
}
