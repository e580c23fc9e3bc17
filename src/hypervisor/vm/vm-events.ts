import type { Clock, Ref } from '../../actors/mod.ts';
import type { ErrorEnvelope } from '../../errors.ts';
import type { GuestReady, GuestReport, HostEvent, VmEnd, VmId } from '../../fleet/mod.ts';
import type { Machine } from '../port.ts';
import { memoryOf } from '../profile/shipped.ts';
import type { VmPhase } from './lifecycle-state.ts';

export type HostVmEvent = Extract<HostEvent, { readonly vm: VmId }>;

/** Tells the fleet of one VM. */
export class VmEvents {
  readonly #vm: VmId;
  readonly #to: Ref<HostVmEvent>;
  readonly #clock: Clock;

  constructor(vm: VmId, to: Ref<HostVmEvent>, clock: Clock) {
    this.#vm = vm;
    this.#to = to;
    this.#clock = clock;
  }

  prepared({ process, manifest }: Machine): void {
    const { imageDigest } = manifest.spec;
    const memory = memoryOf(manifest.spec);
    this.#to.tell({ kind: 'vm-prepared', vm: this.#vm, pid: process.pid, imageDigest, memory });
  }

  paused(): void {
    this.#to.tell({ kind: 'vm-paused', vm: this.#vm });
  }

  booting(): void {
    this.#to.tell({ kind: 'vm-booting', vm: this.#vm });
  }

  answering(guest: GuestReady): void {
    this.#to.tell({ kind: 'vm-answering', vm: this.#vm, guest });
  }

  report(report: GuestReport): void {
    this.#to.tell({ kind: 'vm-report', vm: this.#vm, report, atMs: this.#clock.now() });
  }

  /** @param guest its ready line, if it answers */
  adopted(
    { process, manifest }: Machine,
    state: Exclude<VmPhase['name'], 'preparing' | 'gone'>,
    guest: GuestReady | undefined,
  ): void {
    const { address, statusIntervalMs, imageDigest } = manifest.spec;
    // To the fleet a spare is prepared, however far it is.
    const isSpare = state === 'prepared' || state === 'warming' || state === 'paused';
    this.#to.tell({
      kind: 'vm-adopted',
      vm: this.#vm,
      address,
      pid: process.pid,
      startedMs: manifest.preparedMs,
      state: isSpare ? 'prepared' : state,
      ...(state === 'paused' ? { isPaused: true as const } : {}),
      statusIntervalMs,
      imageDigest,
      memory: memoryOf(manifest.spec),
    });
    if (state === 'answering' && guest !== undefined) this.answering(guest);
  }

  gone(end: VmEnd, error: ErrorEnvelope | undefined): void {
    this.#to.tell({
      kind: 'vm-gone',
      vm: this.#vm,
      end,
      ...(error === undefined ? {} : { error }),
    });
  }
}
