import type { Address } from './address.ts';
import type { HostMemory } from './host-record.ts';
import type { Params } from './params.ts';
import type { VmId } from './vm.ts';
import type { NewVm, VmEvent } from './vm-record.ts';

/** All that changes a fleet. Times are monotonic milliseconds. */
export type Transition =
  /** It is in reach, for the first time or again. */
  | { readonly kind: 'host-up'; readonly host: string; readonly nowMs: number }
  | { readonly kind: 'host-down'; readonly host: string; readonly nowMs: number }
  | { readonly kind: 'host-memory'; readonly host: string; readonly memory: HostMemory; readonly nowMs: number }
  | { readonly kind: 'params'; readonly params: Params }
  | { readonly kind: 'address-added'; readonly address: Address }
  | { readonly kind: 'address-removed'; readonly id: number }
  /** The tables say so; the VM itself has not been seen yet. */
  | { readonly kind: 'address-held'; readonly vm: VmId; readonly address: Address }
  /** The server ends: nothing is started but for requests that wait, and nothing is scaled down. */
  | { readonly kind: 'closing' }
  | { readonly kind: 'waiting'; readonly change: 1 | -1 }
  /** Our own process stood still: nobody's silence in that time counts. */
  | { readonly kind: 'paused'; readonly forMs: number; readonly nowMs: number }
  | ({ readonly kind: 'vm-reserved' } & NewVm)
  /** Its process is confirmed gone; its address is held until that is durable. */
  | { readonly kind: 'vm-gone'; readonly vm: VmId; readonly bindFailed: boolean; readonly nowMs: number }
  | { readonly kind: 'released'; readonly vm: VmId; readonly address: Address }
  | VmEvent;
