import { fromEnvelope, ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';

/** Errors that no other address and no second try mends. */
const HOPELESS: ReadonlySet<string> = new Set([
  'IMAGE_MISSING',
  'IMAGE_INVALID',
  'QEMU_MISSING',
  'RIGHTS_MISSING',
  'PATH_TOO_LONG',
  'LAUNCHER_FAILED',
]);
const FAILURES_MAX = 3;

/**
 * Follows the event of a start until as many VMs as are kept running are ready. A fleet that runs already mends itself; one that
 * never came up is an error for whoever started it, with the reason of the VM that failed.
 */
export class FirstReady {
  readonly promise: Promise<void>;
  readonly #settle: PromiseWithResolvers<void>;
  readonly #failuresMax: number;
  #missing: number;
  #failures = 0;

  constructor(vms: number, addresses: number) {
    this.#settle = Promise.withResolvers<void>();
    this.promise = this.#settle.promise;
    // Nobody may be waiting yet when it fails.
    this.promise.catch(() => undefined);
    this.#missing = Math.min(vms, addresses);
    this.#failuresMax = Math.min(FAILURES_MAX, addresses);
    if (this.#missing === 0) this.#settle.resolve();
  }

  see(event: FleetEvent): void {
    if (event.kind === 'vm-ready') this.#missing -= 1;
    if (this.#missing === 0) this.#settle.resolve();
    if (event.kind !== 'vm-gone') return;
    this.#failures += 1;
    const { error } = event;
    const hopeless = error !== undefined && HOPELESS.has(error.code);
    if (!hopeless && this.#failures < this.#failuresMax) return;
    this.#settle.reject(error === undefined ? new ShoalError('VM_GONE', event.text) : fromEnvelope(error));
  }
}
