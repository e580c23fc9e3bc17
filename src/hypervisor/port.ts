import type { Address, GuestReady, LinkTarget, VmId } from '../fleet/mod.ts';
import type { ProcessIdentity } from '../process/mod.ts';
import type { Accelerator, ImageProfile } from './profile/profile.ts';

export type { Accelerator };

/**
 * How a guest is reached. `user`: over TCP, by QEMU's user network, at the VM's address. `none`: it has no network card,
 * and a virtio-serial port for its link; nobody listens at its address.
 */
export type VmNetwork = 'user' | 'none';

/** The QEMU that a machine runs on. */
export interface QemuBuild {
  /** A path, or a name that is looked for in PATH. */
  readonly program: string;
  /**
   * `sandbox`: by its own seccomp filter. `namespaces`: by `bwrap`, with a filter of ours, because it is a small build, which has none,
   * nor an exit code for a clean stop.
   */
  readonly confinement: 'sandbox' | 'namespaces';
  /** Why it was chosen, for people. */
  readonly why: string;
}

/** How a machine is made. */
export interface MachineSpec {
  readonly vm: VmId;
  readonly address: Address;
  /** Path of the guest image, and what tells it from all others (`ImageInfo.digest`). */
  readonly image: string;
  readonly imageDigest: string;
  /** The machine that the image needs; absent: that of the built-in image (`profileOf`). */
  readonly profile?: ImageProfile | undefined;
  /** The file that the image boots with, by its profile: a chainloader or an initial ramdisk; absent: none. */
  readonly companion?: Companion | undefined;
  readonly accelerator: Accelerator;
  /** Absent: `user`. */
  readonly network?: VmNetwork | undefined;
  /** The guest takes a console of a virtio-serial device, where a line costs one exit, and over the UART each byte does. Absent: it may not. */
  readonly virtioConsole?: true | undefined;
  /** Absent: the full build. */
  readonly qemu?: QemuBuild | undefined;
  /** That of the profile, or of a parameter. */
  readonly memoryMib: number;
  readonly statusIntervalMs: number;
  readonly textBytesMax: number;
}

/** A file, and the SHA-256 of its bytes. */
export interface Companion {
  readonly path: string;
  readonly digest: string;
}

/** On disk before QEMU is started, so that the next Shoal knows what may be running. */
export interface Manifest {
  /**
   * 2 if the machine is not that of the built-in image with a network, 3 if its QEMU is confined by namespaces, so that an older Shoal
   * leaves such a VM alone.
   */
  readonly version: 1 | 2 | 3;
  readonly spec: MachineSpec;
  /** An argument of QEMU, by which a process proves that it is this machine. */
  readonly uuid: string;
  readonly argvDigest: string;
  readonly bootId: string;
  /** Milliseconds since the epoch. */
  readonly preparedMs: number;
  /** Absent until the spawn has been confirmed. */
  readonly process?: ProcessIdentity;
  /** The guest's ready line: it is printed once, and whoever adopts the machine has not heard it. */
  readonly guest?: GuestReady;
}

export interface MachineExit {
  /** Null if a signal ended it, or if it cannot be known. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last that QEMU printed on its standard error; empty as a rule. */
  readonly stderr: string;
}

/** One raw machine: a QEMU process with its monitor and its serial console. */
export interface Machine {
  readonly manifest: Manifest;
  readonly process: ProcessIdentity;
  /** Lets the CPU run, or go on. @throws QMP_TIMEOUT, QMP_ERROR */
  start(): Promise<void>;
  /** Lets the CPU stand still until `start`; memory and devices stay as they are. @throws QMP_TIMEOUT, QMP_ERROR */
  pause(): Promise<void>;
  /** Whether the CPU runs: false from `prepare` until `start`, and after `pause`. @throws QMP_TIMEOUT, QMP_ERROR */
  isRunning(): Promise<boolean>;
  /** Writes the guest's ready line into the manifest. */
  remember(guest: GuestReady): Promise<void>;
  /** Presses the power button of the machine (ACPI); the guest may heed it or not. @throws QMP_TIMEOUT, QMP_ERROR */
  pressPowerButton(timeoutMs?: number): Promise<void>;
  /**
   * Has the hypervisor end the machine, whatever its guest does. Resolves when the hypervisor has answered, which tells
   * a stuck guest from a stuck hypervisor; the end itself shows in `onExit`. @throws QMP_TIMEOUT, QMP_ERROR
   */
  quit(timeoutMs?: number): Promise<void>;
  /**
   * Bytes that the guest prints, from the first on, some moments later. There is one listener; the bytes are its own
   * until it returns.
   */
  onConsole(listener: (bytes: Uint8Array) => void): void;
  /**
   * Calls when a part beside the machine fails, such as its console; the machine goes on. Once until that part works
   * again.
   */
  onFault(listener: (why: string) => void): void;
  /** The guest is about to print a line that is waited for: for a moment its console is read as soon as may be. */
  listen(): void;
  /** Writes to the guest's serial input. */
  writeConsole(text: string): void;
  /** Calls once when the process is confirmed gone. */
  onExit(listener: (exit: MachineExit) => void): void;
  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Milliseconds in which the process has computed, or would have if a CPU had been free; undefined if nobody can tell. */
  cpuDemandMs(): number | undefined;
  /** Milliseconds in which the process has computed; undefined if nobody can tell. */
  cpuUsedMs(): number | undefined;
  /** Removes the run directory; only after the exit. */
  remove(): Promise<void>;
  /** Lets go of monitor and console and leaves the machine running. */
  release(): Promise<void>;
}

/** What a host has of one VM. */
export type Found =
  | { readonly kind: 'running'; readonly manifest: Manifest }
  /** Its process is gone; only the directory is left. */
  | { readonly kind: 'gone'; readonly vm: VmId }
  /**
   * Its process runs, and somebody has removed its run directory or the manifest in it: it can be ended, and not be
   * driven any more.
   */
  | { readonly kind: 'orphan'; readonly vm: VmId; readonly directory: string; readonly process: ProcessIdentity }
  /** Something is there that cannot be identified, or could not be looked at: it is left alone and reported. */
  | { readonly kind: 'unknown'; readonly directory: string; readonly vm: VmId | undefined; readonly why: string };

/**
 * The raw machine as a port. The production implementation is QEMU (`createQemuHypervisor`); tests have machines of
 * their own. VM actor and controller stand above it and know no other.
 */
export interface Hypervisor {
  /**
   * Starts QEMU with the CPU paused; its monitor connected, manifest on disk. When it rejects, nothing is left behind
   * but a process that would not end: `find` then finds it.
   * @throws IMAGE_MISSING, IMAGE_INVALID, QEMU_MISSING, QEMU_EXITED, PORT_TAKEN, PATH_TOO_LONG, RIGHTS_MISSING,
   * QMP_TIMEOUT, LAUNCHER_FAILED; CONFIG_VALUE for an accelerator that the profile rules out
   */
  prepare(spec: MachineSpec): Promise<Machine>;
  /** Takes over a machine that runs. @throws MANIFEST_INVALID, VM_GONE, QMP_TIMEOUT */
  adopt(manifest: Manifest): Promise<Machine>;
  /** All VMs of the fleet on this host; waits for what is being prepared. Rejects if the host cannot be looked at. */
  list(): Promise<readonly Found[]>;
  /** One VM; undefined if there is nothing of it. Rejects if the host cannot be looked at. */
  find(vm: VmId): Promise<Found | undefined>;
  /** Ends the process of a machine that nobody drives, by signals. @returns whether it is confirmed gone */
  end(process: ProcessIdentity): Promise<boolean>;
  /** Removes the run directory of a VM whose process is gone. */
  discard(vm: VmId): Promise<void>;
  /** Bytes that the host could give to a new process without swapping. Rejects if they cannot be measured. */
  availableBytes(): Promise<number>;
  /** Opens the connection of a link, over the network that the VM was made with. */
  connect(target: LinkTarget): GuestConnection;
  /** Has a VM give way to others where CPUs are scarce, or no longer, as far as this host can. Absent: it never can. */
  giveWay?(vm: VmId, givesWay: boolean): void;
}

/** @param isWhole the other side has ended its stream, rather than broken it, so nothing that it sent is missing */
export type CloseListener = (why: string, isWhole: boolean) => void;

/** A byte stream to a guest. */
export interface GuestConnection {
  /** Whether it opens only once the guest itself has answered; else a TCP stack may have opened it. */
  readonly isAnsweredOpen?: boolean;
  onOpen(listener: () => void): void;
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Calls once, whether it ever opened or not. */
  onClose(listener: CloseListener): void;
  /** @returns false when what is unsent is more than a stated limit: wait for `onDrain` */
  write(bytes: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  close(): void;
}
