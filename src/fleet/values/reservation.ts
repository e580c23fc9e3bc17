import type { Address } from './address.ts';
import type { VmId } from './vm-id.ts';

/** An address that is held for a VM, whether the VM has been seen or not. */
export interface Reservation {
  readonly vm: VmId;
  readonly address: Address;
}
