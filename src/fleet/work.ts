import type { VmId } from './vm.ts';

/** What the rules ask about the requests that a VM has in hand. Monotonic milliseconds; undefined if it has none. */
export interface Work {
  /** The deadline of the request that was dispatched first. */
  oldestDeadlineMs(vm: VmId): number | undefined;
  /** The deadline of the request that anybody waits for longest. */
  lastDeadlineMs(vm: VmId): number | undefined;
}
