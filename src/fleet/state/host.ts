import type { VmRecord } from './vm.ts';

export interface HostMemory {
  /** Bytes that a new process could have without swapping. */
  readonly availableBytes: number;
  /** Bytes that one VM takes. */
  readonly vmBytes: number;
}

/** Whether the figures are ones that a host can have. */
export function isPossibleMemory({ availableBytes, vmBytes }: HostMemory): boolean {
  return [availableBytes, vmBytes].every((bytes) => Number.isSafeInteger(bytes) && bytes >= 0);
}

/**
 * The host of this fleet, by what its controller tells. Times are monotonic milliseconds, unless the field says that they are of the
 * rule clock.
 */
export class HostRecord {
  readonly name: string;
  /** The number under which the controller was asked to tell what it has; undefined if it tells by itself. */
  readonly census: number | undefined;
  /** unseen: the controller has yet to tell of what it adopted. away: it restarts, or has fallen silent. */
  reach: 'unseen' | 'up' | 'away' = 'unseen';
  /** VMs that had failed in a row at the last failure. */
  failures = 0;
  failedMs = Number.NEGATIVE_INFINITY;
  /** Nothing is started before. */
  notBeforeMs = 0;
  /** How long a VM has been ready, at its last report, that was started since the last failure: the longest such time. */
  soundMs = 0;
  /** The store gave no id for a VM: nothing is started before. */
  noIdBeforeMs = 0;
  /** What the host last told of its memory; undefined if it never did, and then memory limits nothing. */
  memory: HostMemory | undefined;
  /** When the host last told of its memory or forwarded a report; rule clock. Undefined until it told of its memory. */
  heardMs: number | undefined;

  constructor(name: string, census: number | undefined) {
    this.name = name;
    this.census = census;
  }

  /** A VM has reported. One that ran before the last failure proves nothing: it may be of an older image. */
  noteSound({ readyMs, startedMs }: Pick<VmRecord, 'readyMs' | 'startedMs'>, ruleMs: number): void {
    // With no failure to make good, the times of each VM need not be fetched for each of its reports.
    if (this.failures === 0 || readyMs === undefined || startedMs < this.failedMs) return;
    this.soundMs = Math.max(this.soundMs, ruleMs - readyMs);
  }
}

export type Host = Readonly<HostRecord>;
