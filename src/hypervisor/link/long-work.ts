import type { CancelTimer, Clock } from '../../actors/mod.ts';
import type { VmId } from '../../fleet/mod.ts';

/** Longer than what a short request computes, and shorter than what people notice. */
const LONG_MS = 5;

/**
 * Which guests have worked on one request for long. Where CPUs are scarce their VMs are to give way, so that those with
 * short requests need not wait for them. One timer serves all links, and only while there is work.
 */
export class LongWork {
  readonly #clock: Clock;
  readonly #setGivesWay: (vm: VmId, givesWay: boolean) => void;
  readonly #longMs: number;
  /** When each began its request, those first that began first. */
  readonly #since = new Map<VmId, number>();
  readonly #long = new Set<VmId>();
  #cancel: CancelTimer | undefined;

  /** @param setGivesWay told whenever that changes */
  constructor(clock: Clock, setGivesWay: (vm: VmId, givesWay: boolean) => void, longMs = LONG_MS) {
    this.#clock = clock;
    this.#setGivesWay = setGivesWay;
    this.#longMs = longMs;
  }

  /** The guest begins a request now. */
  begin(vm: VmId): void {
    this.end(vm);
    this.#since.set(vm, this.#clock.monotonic());
    this.#arm(this.#longMs);
  }

  /** The guest has nothing to work on. */
  end(vm: VmId): void {
    this.#since.delete(vm);
    if (this.#long.delete(vm)) this.#setGivesWay(vm, false);
  }

  #arm(ms: number): void {
    this.#cancel ??= this.#clock.timer(ms, () => this.#look());
  }

  #look(): void {
    this.#cancel = undefined;
    const now = this.#clock.monotonic();
    for (const [vm, since] of this.#since) {
      const leftMs = since + this.#longMs - now;
      if (leftMs > 0) return this.#arm(leftMs);
      this.#since.delete(vm);
      this.#long.add(vm);
      this.#setGivesWay(vm, true);
    }
  }
}
