import { type CancelTimer, type Context, msToNext, type Ref } from '../../actors/mod.ts';
import type { HostEvent } from '../../fleet/mod.ts';
import type { HostNotice } from '../notices.ts';
import type { Hypervisor } from '../port.ts';

const MIB = 1024 * 1024;
/**
 * What QEMU takes besides the guest's memory: 13 to 16 MB were measured with 30 VMs, as their share of all that they
 * share.
 */
export const QEMU_OWN_BYTES = 16 * MIB;

const INTERVAL_MS = 1_000;

/** Has `measure` called again. */
export interface MeasureAgain {
  readonly kind: 'measure';
}

export interface HostStatsOptions {
  readonly context: Pick<Context<MeasureAgain>, 'after' | 'clock'>;
  readonly hypervisor: Hypervisor;
  readonly events: Ref<HostEvent>;
  readonly notices: Ref<HostNotice>;
  readonly intervalMs: number | undefined;
}

/** Measures the host and tells the fleet. */
export class HostStats {
  readonly #options: HostStatsOptions;
  #impaired = false;
  #cancel: CancelTimer = () => undefined;

  constructor(options: HostStatsOptions) {
    this.#options = options;
  }

  /** Measures now, and from then on at each interval. Resolves once the figures of now were told; never rejects. */
  measure(memoryMib: number): Promise<void> {
    const { context, intervalMs = INTERVAL_MS } = this.#options;
    this.#cancel();
    this.#cancel = context.after(msToNext(context.clock.monotonic(), intervalMs), { kind: 'measure' });
    return this.#tell(memoryMib);
  }

  /**
   * Tells how much memory is available, and how much a VM may come to take: all of its memory, and QEMU's own. A host
   * that cannot be measured lives on, so it tells that nothing is available: no VM is started, and none is ended.
   */
  async #tell(memoryMib: number): Promise<void> {
    const { hypervisor, events, notices } = this.#options;
    const vmBytes = memoryMib * MIB + QEMU_OWN_BYTES;
    try {
      const availableBytes = await hypervisor.availableBytes();
      this.#impaired = false;
      events.tell({ kind: 'host-stats', availableBytes, vmBytes });
    } catch (error) {
      events.tell({ kind: 'host-stats', availableBytes: 0, vmBytes });
      const why = `its memory cannot be measured, so no VM is started: ${String(error)}`;
      if (!this.#impaired) notices.tell({ kind: 'host-impaired', why });
      this.#impaired = true;
    }
  }
}
