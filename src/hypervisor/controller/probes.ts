import type { CancelTimer, Ref } from '../../actors/mod.ts';
import type { HostEvent, VmId } from '../../fleet/mod.ts';

/** Below the limit that the fleet is promised (`PROBE_LIMIT_MS`), and above the time that a VM's actor may take. */
const LIMIT_MS = 2_500;

export interface ProbesOptions {
  readonly host: string;
  readonly events: Ref<HostEvent>;
  /** Has `over` called after a while. */
  readonly after: (delayMs: number, vm: VmId) => CancelTimer;
}

/**
 * The probes that are under way. Each gets one answer, also when the VM, its actor or its thread is lost meanwhile:
 * then it is `dead`.
 */
export class Probes {
  readonly #options: ProbesOptions;
  readonly #cancels = new Map<VmId, CancelTimer>();

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  /** @param ask has the VM's actor probe it */
  begin(vm: VmId, ask: () => void): void {
    if (this.#cancels.has(vm)) return;
    this.#cancels.set(vm, this.#options.after(LIMIT_MS, vm));
    ask();
  }

  /** An answer has come. @returns false if nobody waits for it any more */
  answered(vm: VmId): boolean {
    this.#cancels.get(vm)?.();
    return this.#cancels.delete(vm);
  }

  /** The time is up. */
  over(vm: VmId): void {
    const { host, events } = this.#options;
    if (this.#cancels.delete(vm)) events.tell({ kind: 'vm-probed', host, vm, verdict: 'dead' });
  }
}
