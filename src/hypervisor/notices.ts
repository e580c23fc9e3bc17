import type { VmId } from '../fleet/mod.ts';
import type { RelayRefusal } from './relay/relay-desk.ts';

/** Something that an operator should look at. Each is told once, not once for every time that it is met. */
export type HostNotice =
  /** Shoal cannot tell what this run directory belongs to, and leaves it alone. */
  | { readonly kind: 'unknown-found'; readonly directory: string; readonly why: string }
  /** Shoal cannot tell whether this VM runs, and leaves it alone. */
  | { readonly kind: 'vm-unidentified'; readonly vm: VmId; readonly why: string }
  /** Somebody has removed the run directory of a VM, and Shoal has ended its process. */
  | { readonly kind: 'vm-orphaned'; readonly vm: VmId; readonly why: string }
  /** The VM goes on, and a part beside it fails: its console, its manifest or its log. */
  | { readonly kind: 'vm-impaired'; readonly vm: VmId; readonly why: string }
  /** The VM is gone, and its run directory cannot be removed. */
  | { readonly kind: 'directory-left'; readonly vm: VmId; readonly why: string }
  /** A guest printed a relayed command that is not to be obeyed (R10). `more`: refused lines that were not told. */
  | {
      readonly kind: 'relay-refused';
      readonly vm: VmId;
      readonly refusal: RelayRefusal;
      readonly why: string;
      readonly more: number;
    }
  /** The host goes on, and a part of it fails: what it cannot measure, list or keep. */
  | { readonly kind: 'host-impaired'; readonly why: string };
