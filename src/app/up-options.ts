import type { Address, FleetEvent, Routing } from '../fleet/mod.ts';

/** All that `shoal up` is told, checked. */
export interface UpOptions {
  readonly dataDir: string;
  readonly fleet: string;
  /** URL of a NATS server that runs already; without it one of our own is started. */
  readonly nats?: string;
  /** Addresses for VMs; without it those of the last time, or `POOL_DEFAULT`. */
  readonly pool?: readonly Address[];
  /** Parameters to set, under the names of the table; the others are as they were. */
  readonly params: Readonly<Record<string, string>>;
  /** Which of the free VMs a request goes to (rule R2). */
  readonly routing: Routing;
  readonly image: string;
  /** Worker threads that VMs are watched from; 0 does so on the main thread. */
  readonly shards: number;
  readonly accelerator: 'auto' | 'kvm' | 'tcg';
  /** Ends VMs and the NATS server of an earlier Shoal that are found, instead of adopting them. */
  readonly fresh: boolean;
  /** Sets damaged tables aside and makes them anew from what runs. */
  readonly rebuild: boolean;
  /** Name of this host in replies and tables; without it that of the last time, at first the machine's. */
  readonly host?: string;
  readonly onEvent: (event: FleetEvent) => void;
  /** One line for a person about a step of the start. */
  readonly onProgress: (text: string) => void;
}

/** The same, once the data directory has been asked. */
export type FleetOptions = UpOptions & { readonly host: string };
