import type { ErrorEnvelope } from '../../errors.ts';
import type { Considered } from './considered.ts';
import type { ReasonWord } from './end-reason.ts';
import type { Figures, Rule } from './rule.ts';
import type { VmId } from './vm-id.ts';

/** Something that happened in the fleet, for `shoal events`, the console and the log. */
export interface FleetEvent {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly kind:
    | 'vm-start'
    | 'vm-prepared'
    | 'vm-booting'
    | 'vm-ready'
    | 'vm-adopted'
    | 'vm-drain'
    | 'vm-stop'
    /** R10: the way that a start or stop command takes. */
    | 'vm-relay'
    | 'vm-gone'
    | 'link-lost'
    | 'host-up'
    | 'host-down'
    /** Another host of the fleet can be reached, or cannot any more. */
    | 'neighbour-up'
    | 'neighbour-lost'
    /** Parameters of the whole fleet were changed, or made equal again. */
    | 'params-set'
    /** A deploy of an image begins, goes on, is rolled back or ends. */
    | 'deploy'
    | 'address-free'
    /** Requests wait; the text says what for. */
    | 'waiting'
    | 'write-failed'
    | 'shard-lost'
    | 'unidentified'
    /** No VM can be started although one is wanted; the text says why. */
    | 'blocked'
    /** A part of Shoal itself failed. */
    | 'failed'
    /** Something that an operator should look at. */
    | 'warning';
  readonly vm?: VmId;
  readonly host?: string;
  /** The rule that made it so, and on what figures. */
  readonly rule?: Rule;
  readonly figures?: Figures;
  /** Of a VM that is to end or has ended: why. Of requests that wait: what for. */
  readonly reason?: ReasonWord;
  /** Of a decision: what else was looked at, and why it was not chosen. */
  readonly considered?: readonly Considered[];
  /** Of a start: the VM is only prepared, and not let run before it is wanted. */
  readonly spare?: true;
  readonly text: string;
  readonly error?: ErrorEnvelope;
}
