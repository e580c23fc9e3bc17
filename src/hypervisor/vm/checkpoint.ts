import type { Ref } from '../../actors/mod.ts';
import type { ErrorEnvelope } from '../../errors.ts';
import type { GuestReady, VmEnd } from '../../fleet/mod.ts';
import { KeptOnce } from '../../kept-once.ts';
import { type LifecycleState, NEW_STATE } from './lifecycle-state.ts';

/** The knowledge of a VM's actor that outlives it: the actor that takes its place goes on from there. */
export interface VmCheckpoint {
  readonly state: LifecycleState;
  /** Whether the host has told of a VM that it found. */
  readonly announced: boolean;
  /** Whether the VM is to be announced as soon as there is a machine to tell of. */
  readonly announceDue: boolean;
  /** The guest's ready line. */
  readonly guest: GuestReady | undefined;
  /** Whether there has been an actor before. */
  readonly tried: boolean;
  /** How the VM ended, until that has been told. */
  readonly ended: { readonly end: VmEnd; readonly error: ErrorEnvelope | undefined } | undefined;
}

export const NEW_CHECKPOINT: VmCheckpoint = {
  state: NEW_STATE,
  announced: false,
  announceDue: false,
  guest: undefined,
  tried: false,
  ended: undefined,
};

/** Of VMs that answer: nearly all know the same. */
const answering = new KeptOnce<VmCheckpoint>();

/** Holds the checkpoint for all incarnations on one thread, and saves each change in case the thread is lost. */
export class Checkpoints {
  readonly #saveTo: Ref<VmCheckpoint> | undefined;
  #latest: VmCheckpoint;

  constructor(first: VmCheckpoint, saveTo: Ref<VmCheckpoint> | undefined) {
    this.#latest = first;
    this.#saveTo = saveTo;
  }

  get latest(): VmCheckpoint {
    return this.#latest;
  }

  update(change: Partial<VmCheckpoint>): void {
    const latest = { ...this.#latest, ...change };
    const isAnswering = latest.state.phase.name === 'answering' && latest.guest !== undefined;
    this.#latest = isAnswering ? answering.of(latest) : latest;
    this.#saveTo?.tell(this.#latest);
  }
}
