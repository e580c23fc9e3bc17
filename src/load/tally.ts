import { codeOf } from '../errors.ts';
import { Latencies } from './latencies.ts';

/** Bounds the memory for VM numbers of a fleet that keeps replacing its VMs. */
const VMS_MAX = 10_000;

/** What has become of the requests of a load. */
export class Tally {
  sent = 0;
  ok = 0;
  failed = 0;
  /** Cancelled by us because the load ended. */
  cancelled = 0;
  /** Successful requests only. */
  readonly latencies = new Latencies();
  readonly #errors = new Map<string, number>();
  readonly #vms = new Set<number>();

  get inFlight(): number {
    return this.sent - this.ok - this.failed - this.cancelled;
  }

  /** How many VMs answered. */
  get vmCount(): number {
    return this.#vms.size;
  }

  /** By code, the most frequent first. */
  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#errors].sort(([, one], [, other]) => other - one));
  }

  succeeded(ms: number, vm: number | undefined): void {
    this.ok += 1;
    this.latencies.record(ms);
    if (vm !== undefined && this.#vms.size < VMS_MAX) this.#vms.add(vm);
  }

  fail(error: unknown): void {
    this.failed += 1;
    const code = codeOf(error) ?? 'INTERNAL';
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }
}
