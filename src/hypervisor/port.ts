import type { Address, GuestReady, VmId } from '../fleet/mod.ts';
import type { ProcessIdentity } from '../process/mod.ts';

/** What a machine is made from. */
export interface MachineSpec {
  readonly vm: VmId;
  readonly address: Address;
  /** Path of the guest image, and the SHA-256 of its bytes. */
  readonly image: string;
  readonly imageDigest: string;
  readonly accelerator: Accelerator;
  readonly memoryMib: number;
  readonly statusIntervalMs: number;
  readonly textBytesMax: number;
}

export type Accelerator = 'kvm' | 'tcg';

/** What is on disk before QEMU is started, so that whoever comes back knows what may be running. */
export interface Manifest {
  readonly version: 1;
  readonly spec: MachineSpec;
  /** Given to QEMU; a process proves by it that it is this machine. */
  readonly uuid: string;
  readonly argvDigest: string;
  readonly bootId: string;
  /** Milliseconds since the epoch. */
  readonly preparedMs: number;
  /** Absent until the spawn has been confirmed. */
  readonly process?: ProcessIdentity;
  /** What the guest said when it was ready: it says so once, and whoever adopts the machine has not heard it. */
  readonly guest?: GuestReady;
}

export interface MachineExit {
  /** Null if a signal ended it or nobody could know. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last that QEMU printed on its standard error; empty as a rule. */
  readonly stderr: string;
}

/** One raw machine: a QEMU process with its monitor and its serial console. */
export interface Machine {
  readonly manifest: Manifest;
  readonly process: ProcessIdentity;
  /** Lets the CPU run (QMP `cont`). */
  start(): Promise<void>;
  /** Notes durably in the manifest what the guest said when it was ready. */
  remember(guest: GuestReady): Promise<void>;
  /** @throws QMP_TIMEOUT, QMP_ERROR */
  qmp(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<unknown>;
  /** Bytes that the guest prints, from the first on, some moments later. One listener, whose they are until it returns. */
  onConsole(listener: (bytes: Uint8Array) => void): void;
  /** Writes to the guest's serial input. */
  writeConsole(text: string): void;
  /** Calls once when the process is confirmed gone. */
  onExit(listener: (exit: MachineExit) => void): void;
  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Milliseconds in which the process has computed, or would have if a CPU had been free. */
  cpuDemandMs(): number;
  /** Removes the run directory; only after the exit. */
  remove(): Promise<void>;
  /** Lets go of monitor and console and leaves the machine running. */
  release(): Promise<void>;
}

/** What was found in a run directory by whoever came back. */
export type Found =
  | { readonly kind: 'running'; readonly manifest: Manifest }
  /** Its process is gone; only the directory is left. */
  | { readonly kind: 'gone'; readonly manifest: Manifest }
  /** Something is there that cannot be identified: it is left alone and reported. */
  | { readonly kind: 'unknown'; readonly directory: string; readonly vm: VmId | undefined; readonly why: string };

/** The raw machine as a port; the simulation has one of its own. */
export interface Hypervisor {
  /**
   * Starts QEMU with the CPU paused; its monitor connected, manifest on disk. When it rejects nothing is left behind.
   * @throws IMAGE_MISSING, IMAGE_INVALID, QEMU_MISSING, QEMU_EXITED, PORT_TAKEN, PATH_TOO_LONG, RIGHTS_MISSING, QMP_TIMEOUT,
   * LAUNCHER_FAILED
   */
  prepare(spec: MachineSpec): Promise<Machine>;
  /** Takes over a machine that runs. @throws MANIFEST_INVALID, VM_GONE, QMP_TIMEOUT */
  adopt(manifest: Manifest): Promise<Machine>;
  /** What is in each run directory; waits for what is being prepared. */
  list(): Promise<readonly Found[]>;
  /** What is in the run directory of one VM; undefined if it has none. */
  find(vm: VmId): Promise<Found | undefined>;
  /** Removes the run directory of a machine that was found gone. */
  discard(manifest: Manifest): Promise<void>;
  /** Bytes that the host could give to a new process without swapping. */
  availableBytes(): Promise<number>;
  /** Opens the TCP connection of a link. */
  connect(address: Address): GuestConnection;
}

/** A byte stream to a guest. */
export interface GuestConnection {
  onOpen(listener: () => void): void;
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Calls once, whether it ever opened or not. */
  onClose(listener: (why: string) => void): void;
  /** @returns false when what is unsent is more than a stated limit: wait for `onDrain` */
  write(bytes: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  close(): void;
}
