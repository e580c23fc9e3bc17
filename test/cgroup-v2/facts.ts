/** The findings of the scenario, printed as one line of JSON each. */
export interface Facts {
  /** A whole Shoal with one VM. */
  readonly placed: {
    readonly doctor: { readonly state: string; readonly found: string } | undefined;
    readonly caps: CapsSeen;
    readonly reply: string;
  };
  /** Two processes that never stop computing are in the group of the VM's QEMU. */
  readonly busy: {
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly cpuMs: number;
    readonly reply: string;
  };
  /** A process in the same group takes twice the memory that the group may have. */
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
  /** The QEMU of one machine, in a subtree of the hierarchy, grows. */
  readonly grown: {
    readonly caps: CapsSeen;
    readonly swapBytes: number;
    readonly endedBy: string | null;
    readonly kills: number;
    readonly leftGroups: readonly string[];
  };
  /** A subtree of the hierarchy that delegates no controllers. */
  readonly bare: { readonly why: string | undefined; readonly group: string; readonly leftGroups: readonly string[] };
}

/** The kernel's files of the group of a VM's process. */
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
