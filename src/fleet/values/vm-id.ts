import type { VmEndReason } from './end-reason.ts';

/** `id_vmachine`: unique for the life of a data directory. */
export type VmId = number;

/**
 * preparing: QEMU is being started, paused. prepared: paused, may be started. booting: runs, not ready. ready: takes requests.
 * draining: takes no more. stopping: is being ended. gone: its process is confirmed gone. unknown: its host is out of reach.
 */
export type VmState = 'preparing' | 'prepared' | 'booting' | 'ready' | 'draining' | 'stopping' | 'gone' | 'unknown';

/** Why a VM is to end. */
export interface WantedEnd {
  readonly reason: VmEndReason;
  /** For people: the reason with its figures. */
  readonly why: string;
}

/** How a VM ended. `clean`: the guest said `bye` and powered itself off. */
export interface VmEnd {
  readonly clean: boolean;
  readonly reason: VmEndReason;
  /** For people, with what the reason leaves out: `stopped`, `killed by SIGKILL`, `guest panicked`, ... */
  readonly why: string;
  readonly exitCode: number | null;
  /** What the host found when the guest did not obey a stop. `stuck`: QEMU answered and burned CPU; `dead`: it did not. */
  readonly verdict?: 'stuck' | 'dead';
}
