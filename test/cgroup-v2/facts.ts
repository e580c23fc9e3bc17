/** What the scenario found in the machine, told to the tests outside as one line of JSON each. */
export interface Facts {
  /** A whole Shoal with one VM. */
  readonly placed: {
    readonly doctor: { readonly state: string; readonly found: string } | undefined;
    readonly caps: CapsSeen;
    readonly reply: string;
  };
  /** Beside the VM's QEMU two processes that compute without end, in the same group. */
  readonly busy: {
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly cpuMs: number;
    readonly reply: string;
  };
  /** In the same group a process that takes twice what the group may have. */
  readonly greedy: {
    readonly endedBy: string | null;
    readonly killsInGroup: number;
    readonly vms: readonly number[];
    readonly reply: string;
  };
  /** The VM needs more than its group may have. */
  readonly replaced: {
    readonly kills: number;
    readonly leftGroups: readonly string[];
    readonly event: string;
    readonly caps: CapsSeen;
    readonly reply: string;
  };
  readonly stopped: { readonly exitCode: number | null; readonly leftGroups: readonly string[] };
  /** One machine, in a part of the hierarchy, whose QEMU grows. */
  readonly grown: {
    readonly caps: CapsSeen;
    readonly swapBytes: number;
    readonly endedBy: string | null;
    readonly kills: number;
    readonly leftGroups: readonly string[];
  };
  /** A part of the hierarchy that hands on nothing. */
  readonly bare: { readonly why: string | undefined; readonly group: string; readonly leftGroups: readonly string[] };
}

/** The kernel's own files of the group that the process of a VM is in. */
export interface CapsSeen {
  readonly vm: number;
  readonly group: string;
  readonly holdsOnlyQemu: boolean;
  readonly memoryMax: string;
  readonly swapMax: string;
  readonly cpuMax: string;
}

export type FactLine = {
  readonly [Name in keyof Facts]: { readonly name: Name; readonly value: Facts[Name] };
}[keyof Facts];
