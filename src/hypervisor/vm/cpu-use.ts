import type { Clock } from '../../actors/mod.ts';
import type { Machine } from '../port.ts';

/** A guest that neither obeys nor sleeps uses its CPU in full, or what is left of it on a busy host. */
const BURNING_SHARE = 0.25;

/** How much CPU a process wants, from the making of this on. */
export class CpuUse {
  readonly #machine: Pick<Machine, 'cpuDemandMs'>;
  readonly #clock: Clock;
  readonly #demandMs: number | undefined;
  readonly #atMs: number;

  constructor(machine: Pick<Machine, 'cpuDemandMs'>, clock: Clock) {
    this.#machine = machine;
    this.#clock = clock;
    this.#demandMs = machine.cpuDemandMs();
    this.#atMs = clock.monotonic();
  }

  /** True as well if nobody can tell: the work of a VM that may be stuck over it is not tried on another one. */
  isBurning(): boolean {
    const elapsedMs = this.#clock.monotonic() - this.#atMs;
    const demandMs = this.#machine.cpuDemandMs();
    if (demandMs === undefined || this.#demandMs === undefined) return true;
    return demandMs - this.#demandMs > elapsedMs * BURNING_SHARE;
  }
}
