import { backOffMs } from '../values/back-off.ts';
import type { VmRecord } from './vm.ts';

export interface HostMemory {
  /** Bytes that a new process could have without swapping. */
  readonly availableBytes: number;
  /** Bytes that one VM takes. */
  readonly vmBytes: number;
}

/** A VM that has been ready for so long shows that image and host are sound: the next crash is the first in a row. */
const SOUND_MS = 10_000;

/**
 * The host of this fleet, by what its controller tells. Times are monotonic milliseconds, unless the field says that they are of the
 * rule clock.
 */
export class HostRecord {
  readonly name: string;
  /** unseen: the controller has yet to tell of what it adopted. away: it restarts, or has fallen silent. */
  reach: 'unseen' | 'up' | 'away' = 'unseen';
  /** VMs that failed in a row, with none in between that was started after the last one and has been sound. */
  failures = 0;
  failedMs = Number.NEGATIVE_INFINITY;
  /** Nothing is started before. */
  notBeforeMs = 0;
  /** The store gave no id for a VM: nothing is started before. */
  noIdBeforeMs = 0;
  /** What the host last told of its memory; undefined if it never did, and then memory limits nothing. */
  memory: HostMemory | undefined;
  /** When the host last told of its memory or forwarded a report; rule clock. Undefined until it told of its memory. */
  heardMs: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** A VM has been heard. One that ran before the last failure proves nothing: it may be of an older image. */
  countSound(vm: Pick<VmRecord, 'readyMs' | 'startedMs'>, ruleMs: number): void {
    if (vm.readyMs === undefined || ruleMs - vm.readyMs < SOUND_MS || vm.startedMs < this.failedMs) return;
    this.failures = 0;
  }

  /** A VM has ended. An end that was meant is no failure, and neither is an address that another program has. */
  countEnd(
    vm: Pick<VmRecord, 'state' | 'failed' | 'readyMs' | 'startedMs'>,
    bindFailed: boolean,
    nowMs: number,
    ruleMs: number,
  ): void {
    const meant = (vm.state === 'stopping' || vm.state === 'draining') && !vm.failed;
    if (meant || bindFailed) return;
    this.countSound(vm, ruleMs);
    this.failures += 1;
    this.failedMs = nowMs;
    this.notBeforeMs = nowMs + backOffMs(this.failures);
  }
}

export type Host = Readonly<HostRecord>;
