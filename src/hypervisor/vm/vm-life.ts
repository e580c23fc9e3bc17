import type { ErrorEnvelope } from '../../errors.ts';
import type { GuestReady, VmEnd } from '../../fleet/mod.ts';
import { NEW_VM, type VmMemory } from './vm-state.ts';

/** What outlives an actor of a VM: whoever takes its place goes on from there. */
export interface VmLife {
  readonly memory: VmMemory;
  /** Whether a VM that was found has been told of. */
  readonly announced: boolean;
  /** Whether the VM is to be told of as soon as there is something to tell. */
  readonly announceDue: boolean;
  /** What it said when it was ready. */
  readonly guest: GuestReady | undefined;
  /** Whether there has been an actor before. */
  readonly tried: boolean;
  /** How the VM ended, until that has been told. */
  readonly ended: { readonly end: VmEnd; readonly error: ErrorEnvelope | undefined } | undefined;
}

export const NEW_LIFE: VmLife = {
  memory: NEW_VM,
  announced: false,
  announceDue: false,
  guest: undefined,
  tried: false,
  ended: undefined,
};

/** Shared by the incarnations on one thread. */
export interface Kept {
  life: VmLife;
}

/** Whether more has changed than the number of the last report, which the next one brings again. */
export function isNews(before: VmMemory, after: VmMemory): boolean {
  // The keys of a memory are those of its type.
  const keys = Object.keys(after) as (keyof VmMemory)[];
  return keys.some((key) => key !== 'lastSeq' && before[key] !== after[key]);
}
