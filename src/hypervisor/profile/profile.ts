export const MACHINES = ['microvm', 'pc', 'q35'] as const;
export const BOOT_METHODS = ['pvh', 'multiboot', 'chainloader', 'linux'] as const;
/** What the machine starts with: Shoal's own, which does no more than PVH needs, or that which comes with QEMU. */
export const FIRMWARES = ['shoal', 'qemu'] as const;
export const NETWORK_DEVICES = ['virtio-net-device', 'virtio-net-pci'] as const;
export const NETWORKS = ['user'] as const;
export const PROTOCOLS = ['frames', 'http'] as const;
export const PAYLOADS = ['text', 'bytes'] as const;
export const CONSOLE_FORMATS = ['shoal', 'key=value', 'json', 'regex', 'none'] as const;
/** What shows that a stop was clean. */
export const POWER_OFFS = ['isa-debug-exit', 'bye', 'exit'] as const;
/** How a guest is asked to stop. */
export const STOP_ASKS = ['console', 'powerdown'] as const;
export const ACCELERATORS = ['kvm', 'tcg'] as const;

export type MachineType = (typeof MACHINES)[number];
export type BootMethod = (typeof BOOT_METHODS)[number];
export type NetworkDevice = (typeof NETWORK_DEVICES)[number];
export type Protocol = (typeof PROTOCOLS)[number];
export type Accelerator = (typeof ACCELERATORS)[number];
export type Payload = (typeof PAYLOADS)[number];

/**
 * The machine that an image needs, and how it speaks: the content of `NAME.shoal.json`, with each default in its
 * place. `docs/images.md` explains each field. Plain data: it stands in manifests and crosses threads.
 */
export interface ImageProfile {
  readonly machine: MachineType;
  readonly boot: BootMethod;
  /** Absent: `usesOwnFirmware` says. */
  readonly firmware?: (typeof FIRMWARES)[number];
  /** An initial ramdisk, or a module; a path relative to the profile. */
  readonly initrd?: string;
  /** With boot `chainloader`: the program that loads the image; a path relative to the profile. */
  readonly chainloader?: string;
  /** The guest's command line, with placeholders (`expandCommandLine`). */
  readonly commandLine: string;
  readonly memoryMib: number;
  /** The least that the guest runs with (`leastMemoryMib`). */
  readonly memoryMinMib?: number;
  readonly networkDevice: NetworkDevice;
  readonly network: (typeof NETWORKS)[number];
  /** What the guest speaks on its port. */
  readonly protocol: Protocol;
  readonly console: ConsoleProfile;
  readonly payload: Payload;
  /** Whether a request may be worked on twice (R11); absent: the guest's ready line says, or else it may not. */
  readonly idempotent?: boolean;
  readonly powerOff: PowerOff;
  /** From start to ready, unless the parameter `boot_timeout_ms` was set. */
  readonly bootTimeoutMs: number;
  /** The accelerators that the image runs under, the better one first. */
  readonly accelerators: readonly Accelerator[];
  /** Tells whether a guest that speaks HTTP takes requests; absent: its console does, or else a connection. */
  readonly readiness?: HttpProbe;
  /** Tells whether a guest that speaks HTTP is alive; absent: its console and its answers do. */
  readonly liveness?: HttpProbe;
}

/** The fields that a guest's console may tell, under the names of the guest contract. */
export const CONSOLE_FIELDS = ['seq', 'cpu', 'ram', 'inflight', 'served', 'bind', 'addr', 'max', 'reason'] as const;
export type ConsoleField = (typeof CONSOLE_FIELDS)[number];

export type ConsoleProfile =
  /** The lines of the guest contract. */
  | { readonly format: 'shoal' }
  /** One line each, of fields: the field `kind` says `ready`, `status` or `bye`. */
  | {
      readonly format: 'key=value' | 'json';
      /** The guest's name of the field that tells the kind of a line. */
      readonly kind: string;
      /** The guest's names of fields, where they differ. */
      readonly names: Readonly<Partial<Record<ConsoleField, string>>>;
    }
  /** One pattern for each kind of line (`LinePattern`); fields are named groups. */
  | { readonly format: 'regex'; readonly ready: string; readonly status: string; readonly bye?: string }
  /** The guest says nothing. */
  | { readonly format: 'none' };

export type PowerOff = (
  | { readonly by: 'isa-debug-exit'; readonly code: number }
  /** Its last line says so, and QEMU ends with exit code 0. */
  | { readonly by: 'bye' }
  /** QEMU ends with exit code 0 once the guest was asked to stop. */
  | { readonly by: 'exit' }
) & { readonly ask: (typeof STOP_ASKS)[number] };

/** A `GET` whose answer of 200 to 299 is a sign of life. */
export interface HttpProbe {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that count. */
  readonly failures: number;
}

/** The file that an image of this profile boots with, as the profile names it. */
export function companionOf(profile: ImageProfile): string | undefined {
  return profile[companionField(profile)];
}

/** The field that names that file. */
export function companionField({ boot }: Pick<ImageProfile, 'boot'>): 'chainloader' | 'initrd' {
  return boot === 'chainloader' ? 'chainloader' : 'initrd';
}

/** Whether a machine of this profile starts with Shoal's own firmware. */
export function usesOwnFirmware(profile: Pick<ImageProfile, 'machine' | 'boot' | 'firmware'>): boolean {
  return canUseOwnFirmware(profile) && profile.firmware !== 'qemu';
}

export function canUseOwnFirmware({ machine, boot }: Pick<ImageProfile, 'machine' | 'boot'>): boolean {
  return machine === 'microvm' && boot === 'pvh';
}
