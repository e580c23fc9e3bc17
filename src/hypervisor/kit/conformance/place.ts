import type { Clock } from '../../../actors/mod.ts';
import type { ProcessIdentity } from '../../../process/mod.ts';
import type { Hypervisor, MachineSpec } from '../../port.ts';

/**
 * A host on which an adapter is tried. It is empty at the start of each point, and its maker clears it at the end. Its
 * guest keeps the contract of `docs/guest-contract.md`.
 */
export interface HypervisorPlace {
  readonly hypervisor: Hypervisor;
  /** On which the limits of the guest's answers run. */
  readonly clock: Clock;
  /** Another adapter on the same host, as the next Shoal has one. */
  again(): Hypervisor;
  /** A VM with the next id on a free address. */
  spec(overrides?: Partial<MachineSpec>): Promise<MachineSpec>;
  /** Looks from outside of the adapter whether that process runs. */
  isAlive(process: ProcessIdentity): boolean;
}

/** A promise of the port `Hypervisor`, which each adapter keeps. */
export interface HypervisorPoint {
  /** Begins with the method that it is about. */
  readonly name: string;
  /** @throws AssertionError if it does not hold; what it waits for may never come, so whoever calls has a limit */
  holds(place: HypervisorPlace): Promise<void>;
}
