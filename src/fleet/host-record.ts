import { backOffMs } from './back-off.ts';
import type { Mutable } from './mutable.ts';
import type { Vm } from './vm-record.ts';

/** What the server knows of one host. Times are monotonic milliseconds. */
export interface Host {
  readonly name: string;
  /** Since when it is out of reach; undefined while it is in reach. */
  readonly downMs: number | undefined;
  /** VMs that ended without having proved useful, in a row. */
  readonly failures: number;
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

/** A VM that was ready for so long has shown that image and host are sound: its crash is the first in a row. */
const SOUND_MS = 10_000;

export function newHost(name: string): Mutable<Host> {
  return { name, downMs: undefined, failures: 0, notBeforeMs: 0, memory: undefined, heardMs: undefined };
}

/** A VM of this host has ended. What was meant to end is no failure, and neither is an address that somebody else has taken. */
export function countEnd(host: Mutable<Host>, vm: Vm, bindFailed: boolean, nowMs: number): void {
  const state = vm.stateBefore ?? vm.state;
  const meant = (state === 'stopping' || state === 'draining') && !vm.failed;
  if (meant || bindFailed) return;
  const wasSound = vm.readyMs !== undefined && nowMs - vm.readyMs >= SOUND_MS;
  host.failures = wasSound ? 1 : host.failures + 1;
  host.notBeforeMs = nowMs + backOffMs(host.failures);
}
