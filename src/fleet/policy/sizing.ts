import type { Params } from '../values/params.ts';
import type { Figures } from '../values/rule.ts';
import type { VmId } from '../values/vm-id.ts';

/**
 * A sizing policy decides how many VMs run beyond the minimum: it scales up and down and keeps spares. Safety is no part of it:
 * silence, leases, ejection, the minimum and restarts are the fleet's, whatever the policy says.
 */
export interface SizingPolicy {
  /** For events. */
  readonly name: string;
  /** Called in each step, after the safety rules. Pure: the same view gives the same sizing. */
  decide(view: SizingView): Sizing;
}

/** What a sizing policy may read. The counts leave out VMs that are leaving and include VMs that this step has started. */
export interface SizingView {
  readonly params: Params;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** Requests that wait for a VM. */
  readonly waiting: number;
  /** VMs that are ready. */
  readonly ready: number;
  /** Ready VMs that take requests: their link is up. */
  readonly serving: number;
  /** VMs on their way to ready. */
  readonly starting: number;
  /** Spares that nobody wants yet. */
  readonly spares: number;
  /** Surplus VMs: idle for `free_count` reports, with nothing in flight. Computed when it is called. */
  surplus(): readonly IdleVm[];
}

export interface IdleVm {
  readonly vm: VmId;
  /** Idle reports in a row. */
  readonly freeCount: number;
}

/** What a sizing policy wants. */
export interface Sizing {
  /** R3: VMs to start now, each with the figures that it was decided on. Read only as far as VMs can be started. */
  readonly start: Iterable<Figures>;
  /** R5: surplus VMs to drain, in this order. */
  readonly drain: Iterable<{ readonly vm: VmId; readonly figures: Figures }>;
  /** How many spares to keep. */
  readonly spares: number;
}
