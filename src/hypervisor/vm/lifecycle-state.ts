import type { ErrorEnvelope } from '../../errors.ts';
import type { GuestReady, VmEndReason } from '../../fleet/mod.ts';

/**
 * How a VM is made to stop. Each stage has a time limit, after which the next one comes; the last is repeated until
 * it has worked.
 */
export type StopStage = 'console' | 'quit' | 'terminate' | 'kill';

export type VmPhase =
  | { readonly name: 'preparing' }
  | { readonly name: 'prepared' }
  /** A spare that boots to stand still; with its ready line once it has said it. */
  | { readonly name: 'warming'; readonly guest: GuestReady | undefined }
  /** A spare whose guest is ready and whose CPU stands still. */
  | { readonly name: 'paused'; readonly guest: GuestReady }
  | { readonly name: 'booting' }
  | { readonly name: 'answering' }
  | { readonly name: 'stopping'; readonly stage: StopStage; readonly graceMs: number }
  | { readonly name: 'gone' };

export interface StopAsked {
  readonly reason: VmEndReason;
  readonly why: string;
  readonly graceMs: number;
}

/** Where a VM stands in its life. It outlives a crash of the VM's actor. */
export interface LifecycleState {
  readonly phase: VmPhase;
  /** A command that came before it could be obeyed. */
  readonly startAsked: boolean;
  readonly stopAsked: StopAsked | undefined;
  /** Why Shoal ends the VM although nobody asked for it. */
  readonly error: ErrorEnvelope | undefined;
  /** The reason that the guest gave when it said `bye`. */
  readonly bye: string | undefined;
  /** True while the guest may have printed its ready line when nobody listened. */
  readonly missedConsole: boolean;
  /** Set once the guest has not obeyed its console. */
  readonly verdict: 'stuck' | 'dead' | undefined;
}

export const NEW_STATE: LifecycleState = {
  phase: { name: 'preparing' },
  startAsked: false,
  stopAsked: undefined,
  error: undefined,
  bye: undefined,
  missedConsole: false,
  verdict: undefined,
};

/** The state of a VM that was found; one whose CPU stands still was never started, or is a spare that has booted. */
export function adoptedState(running: boolean, guest: GuestReady | undefined): LifecycleState {
  if (!running) return { ...NEW_STATE, phase: guest === undefined ? { name: 'prepared' } : { name: 'paused', guest } };
  if (guest === undefined) return { ...NEW_STATE, phase: { name: 'booting' }, missedConsole: true };
  return { ...NEW_STATE, phase: { name: 'answering' } };
}
