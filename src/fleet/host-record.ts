import { backOffMs } from './back-off.ts';
import type { Mutable } from './mutable.ts';
import type { Vm } from './vm-record.ts';

/** What the server knows of one host. Times are monotonic milliseconds. */
export interface Host {
  readonly name: string;
  /** Since when it is out of reach; undefined while it is in reach. */
  readonly downMs: number | undefined;
  /** VMs that failed in a row, with none in between that was started after the last one and has been sound. */
  readonly failures: number;
  /** When the last one failed. */
  readonly failedMs: number;
  /** Nothing is started here before. */
  readonly notBeforeMs: number;
  /** What it last told of its memory; undefined if it never did, and then memory limits nothing. */
  readonly memory: HostMemory | undefined;
  /** When it last told. */
  readonly heardMs: number | undefined;
}

export interface HostMemory {
  /** What a new process could have without swapping. */
  readonly availableBytes: number;
  /** What one VM takes. */
  readonly vmBytes: number;
}

/** A VM that has been ready for so long shows that image and host are sound: the next crash is the first in a row. */
const SOUND_MS = 10_000;

/** A VM of this host has been heard. One that ran before the last failure proves nothing: it may be of an older image. */
export function countSound(host: Mutable<Host>, vm: Vm, nowMs: number): void {
  if (vm.readyMs === undefined || nowMs - vm.readyMs < SOUND_MS || vm.startedMs < host.failedMs) return;
  host.failures = 0;
}

/** A VM of this host has ended. What was meant to end is no failure, and neither is an address that somebody else has taken. */
export function countEnd(host: Mutable<Host>, vm: Vm, bindFailed: boolean, nowMs: number): void {
  const state = vm.stateBefore ?? vm.state;
  const meant = (state === 'stopping' || state === 'draining') && !vm.failed;
  if (meant || bindFailed) return;
  countSound(host, vm, nowMs);
  host.failures += 1;
  host.failedMs = nowMs;
  host.notBeforeMs = nowMs + backOffMs(host.failures);
}

export function newHost(name: string): Mutable<Host> {
  return {
    name,
    downMs: undefined,
    failures: 0,
    failedMs: Number.NEGATIVE_INFINITY,
    notBeforeMs: 0,
    memory: undefined,
    heardMs: undefined,
  };
}
