import type { CancelTimer, Clock } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, ShoalError } from '../errors.ts';
import type { FleetEvent, VmId } from '../fleet/mod.ts';

export interface FirstReadyOptions {
  /** VMs that are kept running. */
  readonly vms: number;
  /** Addresses in the pool. */
  readonly addresses: number;
  readonly clock: Clock;
  /** Told, at most every five seconds, why no VM is ready yet. */
  readonly onWait: (text: string) => void;
}

/** Errors of the image, QEMU or the machine, which neither another address nor a second try mends. */
const HOPELESS: ReadonlySet<string> = new Set([
  'IMAGE_MISSING',
  'IMAGE_INVALID',
  'QEMU_MISSING',
  'RIGHTS_MISSING',
  'PATH_TOO_LONG',
  'LAUNCHER_FAILED',
]);
/** Refusals of one VM more, which say nothing about the VMs that are starting. */
const LIMITS: ReadonlySet<string> = new Set(['OPEN_FILES_LIMIT', 'PROCESS_LIMIT']);
/** Failed starts, for reasons that a second try could mend, after which a start gives up. */
const FAILURES_MAX = 3;
const WAIT_NOTICE_MS = 5_000;

/**
 * Follows the events of a start until as many VMs as are kept running are ready. A fleet with a ready VM serves, and mends the rest by
 * itself; a fleet that never came up is an error for the person who started it, with the reason of the VM that failed.
 */
export class FirstReady {
  readonly promise: Promise<void>;
  readonly #options: FirstReadyOptions;
  readonly #settle: PromiseWithResolvers<void>;
  readonly #wanted: number;
  /** VMs that this Shoal has started and nobody has told to end. */
  readonly #starting = new Set<VmId>();
  readonly #ready = new Set<VmId>();
  /** Addresses that other programs have. */
  readonly #taken = new Set<string>();
  #failures = 0;
  #why = 'no VM has been started yet';
  #toldWhy = '';
  #cancelNotice: CancelTimer = () => undefined;

  constructor(options: FirstReadyOptions) {
    this.#options = options;
    this.#settle = Promise.withResolvers<void>();
    this.promise = this.#settle.promise;
    // It may fail before anybody waits for it.
    this.promise.catch(() => undefined);
    this.#wanted = Math.min(options.vms, options.addresses);
    if (this.#wanted === 0) this.#settle.resolve();
    else this.#noticeLater();
  }

  see(event: FleetEvent): void {
    if (event.kind === 'blocked') this.#why = event.text;
    if (event.vm !== undefined) this.#seeVm(event.vm, event);
  }

  /** Ends the notices. */
  close(): void {
    this.#cancelNotice();
  }

  #seeVm(vm: VmId, event: FleetEvent): void {
    switch (event.kind) {
      case 'vm-start':
        this.#starting.add(vm);
        this.#why = event.text;
        return;
      case 'vm-ready':
        this.#starting.delete(vm);
        this.#ready.add(vm);
        if (this.#ready.size >= this.#wanted) this.#end();
        return;
      case 'vm-stop':
        // R6 and R7 end a VM that does not come up: that is a failed start.
        if (event.rule !== 'R6' && event.rule !== 'R7') this.#starting.delete(vm);
        return;
      case 'vm-gone':
        this.#ready.delete(vm);
        if (this.#starting.delete(vm)) this.#failed(event);
        return;
    }
  }

  #failed({ text, error }: FleetEvent): void {
    this.#why = text;
    const failure = error === undefined ? new ShoalError('VM_GONE', text) : fromEnvelope(error);
    if (error?.code === 'PORT_TAKEN') {
      this.#taken.add(addressIn(error));
      // Each ready VM has an address too, and that one is not to be tried.
      if (this.#taken.size + this.#ready.size >= this.#options.addresses) this.#giveUp(failure);
      return;
    }
    this.#failures += 1;
    if (LIMITS.has(String(error?.code)) && this.#starting.size > 0) return;
    const isHopeless = error !== undefined && HOPELESS.has(String(error.code));
    if (isHopeless || this.#failures >= Math.min(FAILURES_MAX, this.#options.addresses)) this.#giveUp(failure);
  }

  #giveUp(failure: Error): void {
    if (this.#ready.size > 0) this.#end();
    else this.#end(failure);
  }

  #end(failure?: Error): void {
    this.#cancelNotice();
    if (failure === undefined) this.#settle.resolve();
    else this.#settle.reject(failure);
  }

  #noticeLater(): void {
    this.#cancelNotice = this.#options.clock.timer(WAIT_NOTICE_MS, () => {
      if (this.#why !== this.#toldWhy) this.#options.onWait(`still waiting for the first VM: ${this.#why}`);
      this.#toldWhy = this.#why;
      this.#noticeLater();
    });
  }
}

/** The hypervisor names the address in the details. */
function addressIn({ details, message }: ErrorEnvelope): string {
  const { address } = details;
  return typeof address === 'string' ? address : message;
}
