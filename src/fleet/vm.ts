/** `id_vmachine`: unique for the life of a data directory. */
export type VmId = number;

/**
 * preparing: QEMU is being started, paused. prepared: paused, may be started. booting: runs, not ready. ready: takes requests.
 * draining: takes no more. stopping: is being ended. gone: its process is confirmed gone. unknown: its host is out of reach.
 */
export type VmState = 'preparing' | 'prepared' | 'booting' | 'ready' | 'draining' | 'stopping' | 'gone' | 'unknown';

/** What a guest says of itself when it is up. */
export interface GuestReady {
  /** Largest text it takes or gives, bytes. */
  readonly textBytesMax: number;
  /** Whether its operations may be run twice. */
  readonly idempotent: boolean;
  readonly operations: readonly string[];
}

/** One status line of a guest. */
export interface GuestReport {
  /** Counts up from 1 in each life of a guest. */
  readonly seq: number;
  /** Busy share of the virtual CPU since the report before, 0 to 100. */
  readonly cpuPercent: number;
  readonly ramBytes: number;
  /** Requests queued or in work, by the guest's own count. */
  readonly inFlight: number;
  /** Requests ended since boot. */
  readonly served: number;
}

/** How a VM ended. `clean`: the guest said `bye` and powered itself off. */
export interface VmEnd {
  readonly clean: boolean;
  /** For people: `stopped`, `killed by SIGKILL`, `guest panicked`, ... */
  readonly why: string;
  readonly exitCode: number | null;
  /** What the host found when it ended a silent VM: `stuck`, QEMU answered and burned CPU; `dead`, it did not. */
  readonly verdict?: 'stuck' | 'dead';
}
