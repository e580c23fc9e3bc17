import type { Clock } from '../../actors/mod.ts';
import type { GuestReport } from '../../fleet/mod.ts';
import type { Machine } from '../port.ts';

/** The process of a VM, as far as it is known; undefined: there is none now. */
export type MeasuredMachine = () => Pick<Machine, 'cpuUsedMs'> | undefined;

/** Figures of a VM as its host sees them, for guests that do not tell. */
export class ProcessFigures {
  readonly #machine: MeasuredMachine;
  readonly #clock: Clock;
  readonly #ramBytes: number;
  #seq = 0;
  #atMs = 0;
  #usedMs: number | undefined;

  /** @param ramBytes all that the VM has: nobody outside knows how much of it the guest uses */
  constructor(machine: MeasuredMachine, clock: Clock, ramBytes: number) {
    this.#machine = machine;
    this.#clock = clock;
    this.#ramBytes = ramBytes;
  }

  /**
   * Since the last call; without the time in which it waited for a CPU: on a busy host every wake-up waits, and idle VMs
   * would never look idle (R5). `cpuPercent` is 0 at the first, and if nobody can tell. `seq` counts up, also over the crash
   * of whoever called before: it is no lower than the time of day in milliseconds.
   */
  measured(): Pick<GuestReport, 'seq' | 'cpuPercent' | 'ramBytes'> {
    this.#seq = Math.max(this.#seq + 1, Math.floor(this.#clock.now()));
    return { seq: this.#seq, cpuPercent: this.#cpuPercent(), ramBytes: this.#ramBytes };
  }

  #cpuPercent(): number {
    const [beforeMs, before] = [this.#atMs, this.#usedMs];
    this.#atMs = this.#clock.monotonic();
    this.#usedMs = this.#machine()?.cpuUsedMs();
    const elapsedMs = this.#atMs - beforeMs;
    if (before === undefined || this.#usedMs === undefined || elapsedMs <= 0) return 0;
    return Math.min(100, Math.max(0, (100 * (this.#usedMs - before)) / elapsedMs));
  }
}
