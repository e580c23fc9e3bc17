import type { Clock } from '../../actors/mod.ts';
import type { Machine } from '../port.ts';

/** What a silent VM turns out to be. `stuck`: QEMU answers and burns CPU. `dead`: it does not. */
export type Verdict = 'stuck' | 'dead';

/** A guest that neither obeys nor sleeps uses its CPU in full, or what is left of it on a busy host. */
const BURNING_SHARE = 0.25;
/** Long enough to tell work from the moments that a sleeping guest is awake. */
const WINDOW_MS = 500;
/** Below the limit that the fleet is promised (`PROBE_LIMIT_MS`), with room for the way there and back. */
const MONITOR_TIMEOUT_MS = 2_000;

/** How much CPU a process wants, from the making of this on. */
export class CpuUse {
  readonly #machine: Pick<Machine, 'cpuDemandMs'>;
  readonly #clock: Clock;
  readonly #demandMs: number;
  readonly #atMs: number;

  constructor(machine: Pick<Machine, 'cpuDemandMs'>, clock: Clock) {
    this.#machine = machine;
    this.#clock = clock;
    this.#demandMs = machine.cpuDemandMs();
    this.#atMs = clock.monotonic();
  }

  isBurning(): boolean {
    const elapsedMs = this.#clock.monotonic() - this.#atMs;
    return this.#machine.cpuDemandMs() - this.#demandMs > elapsedMs * BURNING_SHARE;
  }
}

/**
 * Probes a silent VM and leaves it as it is. Resolves within some two seconds, also for a QEMU that does not answer.
 */
export async function probeVerdict(machine: Pick<Machine, 'cpuDemandMs' | 'qmp'>, clock: Clock): Promise<Verdict> {
  const use = new CpuUse(machine, clock);
  const window = new Promise<void>((resolve) => {
    clock.timer(WINDOW_MS, resolve);
  });
  const answers = machine.qmp('query-status', undefined, MONITOR_TIMEOUT_MS).then(
    () => true,
    () => false,
  );
  await window;
  const burning = use.isBurning();
  return (await answers) && burning ? 'stuck' : 'dead';
}
