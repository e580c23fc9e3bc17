import type { Address, News, Params } from '../fleet/mod.ts';

/** All that `shoal up` is told, checked. */
export interface UpOptions {
  readonly dataDir: string;
  readonly fleet: string;
  /** URL of a NATS server that runs already; without it one of our own is started. */
  readonly nats?: string;
  readonly pool: readonly Address[];
  readonly params: Params;
  readonly image: string;
  readonly accelerator: 'auto' | 'kvm' | 'tcg';
  /** Name of this host in replies and tables. */
  readonly host: string;
  readonly onNews: (news: News) => void;
  /** One line for a person about a step of the start. */
  readonly onProgress: (text: string) => void;
}
