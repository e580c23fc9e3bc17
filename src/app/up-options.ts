import type { Address, Control, FleetEvent, Routing } from '../fleet/mod.ts';
import type { VmNetwork } from '../hypervisor/mod.ts';
import type { HttpAddress } from '../transport/mod.ts';

/** The options of `shoal up`, checked. */
export interface UpOptions {
  readonly dataDir: string;
  readonly fleet: string;
  /** URL of a running NATS server; default: a server of our own. */
  readonly nats?: string;
  /** Addresses for VMs; default: those of the last start, at first `POOL_DEFAULT`. */
  readonly pool?: readonly Address[];
  /** Parameters to set, by their names in the table. The others stay as they are. */
  readonly params: Readonly<Record<string, string>>;
  /** Which of the free VMs a request goes to (rule R2). */
  readonly routing: Routing;
  /** How commands reach the controller (rule R10); default `direct`. */
  readonly control?: Control;
  readonly image: string;
  /** The service that the image was built from, for people. */
  readonly service?: string;
  /** That service is deployed whenever it is saved. */
  readonly watch?: boolean;
  /** Name of a profile that comes with Shoal, or path of a file; default: the one beside the image, else the built-in image's. */
  readonly profile?: string;
  /** Fields that override the profile. */
  readonly profileSet?: Readonly<Record<string, string>>;
  /** Worker threads for VM actors; 0 runs them on the main thread. */
  readonly shards: number;
  readonly accelerator: 'auto' | 'kvm' | 'tcg';
  /** Of VMs that are started from now on; default: `user`. */
  readonly network?: VmNetwork;
  /** `auto`, or the program for new VMs; default: `auto`. */
  readonly qemu?: string;
  /** Ends the VMs and the NATS server that an earlier Shoal left, instead of adopting them. */
  readonly fresh: boolean;
  /** Sets damaged tables aside and makes new ones from the running VMs. */
  readonly rebuild: boolean;
  /** Name of this host in replies and tables; default: that of the last start, at first the machine's. */
  readonly host?: string;
  /** `server` takes requests and has no VMs; `controller` has VMs and takes only what other hosts hand on; default: both. */
  readonly role?: Role;
  /** Takes requests over HTTP there, too; default: over NATS alone. */
  readonly http?: HttpAddress;
  readonly onEvent: (event: FleetEvent) => void;
  /** Called with a line for people about each step of the start. */
  readonly onProgress: (text: string) => void;
}

/** The options with the host's name, which the data directory may have decided. */
export type FleetOptions = UpOptions & { readonly host: string };

export type Role = 'server' | 'controller';
