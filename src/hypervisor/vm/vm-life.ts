import type { ErrorEnvelope } from '../../errors.ts';
import type { GuestReady, VmEnd } from '../../fleet/mod.ts';
import { NEW_VM, type VmMemory } from './vm-state.ts';

/** What of a VM's actor outlives its crashes. */
export interface VmLife {
  memory: VmMemory;
  /** Whether a VM that was found has been told of. */
  announced: boolean;
  /** Whether the VM is to be told of as soon as there is something to tell. */
  announceDue: boolean;
  /** What it said when it was ready. */
  guest: GuestReady | undefined;
  /** Whether there has been an incarnation. */
  tried: boolean;
  /** How the VM ended, until that has been told. */
  ended: { readonly end: VmEnd; readonly error: ErrorEnvelope | undefined } | undefined;
}

export function newLife(): VmLife {
  return { memory: NEW_VM, announced: false, announceDue: false, guest: undefined, tried: false, ended: undefined };
}
