import { exponentialDelayMs } from '../../actors/mod.ts';
import type { PoolEntry } from '../state/address-pool.ts';
import type { Host } from '../state/host.ts';
import type { Vm } from '../state/vm.ts';

const DELAY = { firstMs: 250, maxMs: 30_000 };
/** A VM that has been ready for so long shows that image and host are sound: the next failure is the first in a row. */
const SOUND_MS = 10_000;

/** How long to wait after so many failures in a row: nothing after the first, which may be an accident, then doubling up to 30 s. */
export function backOffMs(failures: number): number {
  return exponentialDelayMs(DELAY, failures - 2);
}

/** What the policy knows of the failures of a host. */
export type Failures = Pick<Host, 'failures' | 'failedMs' | 'notBeforeMs' | 'soundMs'>;

/** VMs that have failed in a row (R1). */
export function failuresInARow({ failures, soundMs }: Failures): number {
  return soundMs >= SOUND_MS ? 0 : failures;
}

/**
 * R1: a VM has failed, or is ended because it fails.
 * @param ruleMs on the rule clock
 * @returns how things stand then; undefined if the VM ran already when the last one failed: they fail together, and not in a row
 */
export function failureOf(host: Failures, vm: Vm, nowMs: number, ruleMs: number): Failures | undefined {
  const before = failuresInARow(host);
  if (before > 0 && vm.startedMs < host.failedMs) return undefined;
  const wasSound = vm.readyMs !== undefined && ruleMs - vm.readyMs >= SOUND_MS;
  const failures = wasSound ? 1 : before + 1;
  return { failures, failedMs: nowMs, notBeforeMs: nowMs + backOffMs(failures), soundMs: 0 };
}

/** R3: an address is set aside for a while that grows with each bind in a row that fails. @returns monotonic milliseconds */
export function quarantinedUntilMs(entry: PoolEntry | undefined, nowMs: number): number {
  // A program that has the address will not let go of it within the millisecond: the first failure counts here.
  return nowMs + backOffMs((entry?.trouble.bindFailures ?? 0) + 2);
}
