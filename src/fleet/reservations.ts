import { type Address, formatAddress } from './address.ts';
import type { EventReporter } from './event-reporter.ts';
import type { Fleet } from './fleet.ts';
import type { StoreWrites } from './store-writes.ts';
import type { VmId } from './vm.ts';

/** A VM, known or not, and the address that it holds. */
export interface Reservation {
  readonly id: VmId;
  readonly host: string;
  readonly address: Address;
}

/** R8: addresses that are held although the fleet has no VM on them, before a VM has been seen and after it is gone. */
export class Reservations {
  readonly #fleet: Fleet;
  readonly #ledger: StoreWrites;
  readonly #desk: EventReporter;
  /** VMs that the tables know and their hosts have not told of. */
  readonly #absent = new Map<VmId, Reservation>();
  /** VMs that are gone while their release is not durable yet. */
  readonly #leaving = new Map<VmId, Reservation>();

  constructor(fleet: Fleet, ledger: StoreWrites, desk: EventReporter, held: readonly Reservation[]) {
    this.#fleet = fleet;
    this.#ledger = ledger;
    this.#desk = desk;
    for (const reservation of held) {
      const { id: vm, address } = reservation;
      if (fleet.apply({ kind: 'address-held', vm, address })) this.#absent.set(vm, reservation);
    }
  }

  /** The host of a VM that is not in the fleet any more. */
  hostOf(vm: VmId): string | undefined {
    return this.#leaving.get(vm)?.host;
  }

  /** The VM is in the fleet. */
  seen(vm: VmId): void {
    this.#absent.delete(vm);
  }

  /** What the tables know and the host, all told, does not have, has ended while nobody looked. */
  tookStock(host: string, vms: readonly VmId[]): void {
    const there = new Set(vms);
    for (const { id, host: its } of this.#absent.values()) if (its === host && !there.has(id)) this.absentGone(id);
  }

  /** A VM that is not in the fleet is confirmed gone. */
  absentGone(vm: VmId): void {
    const reservation = this.#absent.get(vm);
    if (reservation === undefined) return;
    this.#absent.delete(vm);
    this.release(reservation);
  }

  /** Its process is confirmed gone: the address is free once that is durable. */
  release({ id, host, address }: Reservation): void {
    this.#leaving.set(id, { id, host, address });
    this.#ledger.release(id, address);
  }

  released(vm: VmId): void {
    const reservation = this.#leaving.get(vm);
    if (reservation === undefined) return;
    const { address } = reservation;
    this.#leaving.delete(vm);
    if (!this.#fleet.apply({ kind: 'released', vm, address })) return;
    const reason = { rule: 'R8', figures: { id_ip: address.id } } as const;
    this.#desk.ofVm('address-free', reservation, `${formatAddress(address)} is free again`, reason);
  }
}
