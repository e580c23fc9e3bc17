import { type Address, formatAddress } from './address.ts';
import { backOffMs } from './back-off.ts';
import type { Mutable } from './mutable.ts';
import { insertSorted, removeSorted } from './sorted.ts';
import type { VmId } from './vm.ts';

/** One row of `ip_pool` and what stands beside it. */
export interface PoolEntry {
  readonly address: Address;
  /** The VM that holds it (`reserve`), from its reservation until its process is confirmed gone and that is durable. */
  readonly vm: VmId | undefined;
  /** Monotonic milliseconds until which it is set aside because its bind failed. */
  readonly quarantinedUntilMs: number;
  /** Binds that failed in a row. */
  readonly bindFailures: number;
}

/** Who holds which address. No address is ever held by two (R8), also one that was taken out of the pool while a VM is on it. */
export class AddressPool {
  readonly #entries: Mutable<PoolEntry>[];
  /** Addresses are told apart by what they are: `id_ip` may stand for another one after the pool was changed. */
  readonly #byText = new Map<string, Mutable<PoolEntry>>();
  readonly #byId = new Map<number, Mutable<PoolEntry>>();
  /** Ids of addresses that nobody holds, lowest first; those in quarantine too. */
  readonly #unheld: number[] = [];

  constructor(addresses: readonly Address[]) {
    this.#entries = [...addresses]
      .sort((a, b) => a.id - b.id)
      .map((address) => ({ address, vm: undefined, quarantinedUntilMs: 0, bindFailures: 0 }));
    for (const entry of this.#entries) {
      this.#byText.set(formatAddress(entry.address), entry);
      this.#byId.set(entry.address.id, entry);
      this.#unheld.push(entry.address.id);
    }
  }

  /** Lowest id first. */
  get entries(): readonly PoolEntry[] {
    return this.#entries;
  }

  holder(address: Address): VmId | undefined {
    return this.#byText.get(formatAddress(address))?.vm;
  }

  /** @returns false if the id or the address is in the pool already: nothing changed */
  add(address: Address): boolean {
    const text = formatAddress(address);
    const known = this.#byText.get(text);
    if (this.#byId.has(address.id) || (known !== undefined && this.#isInPool(known))) return false;
    const entry = { address, vm: known?.vm, quarantinedUntilMs: 0, bindFailures: 0 };
    this.#byText.set(text, entry);
    this.#byId.set(address.id, entry);
    const at = this.#entries.findIndex((other) => other.address.id > address.id);
    this.#entries.splice(at < 0 ? this.#entries.length : at, 0, entry);
    if (entry.vm === undefined) insertSorted(this.#unheld, address.id);
    return true;
  }

  /** @returns false if it is not in the pool, or a VM holds it: nothing changed */
  remove(id: number): boolean {
    const entry = this.#byId.get(id);
    if (entry === undefined || entry.vm !== undefined) return false;
    this.#byId.delete(id);
    this.#byText.delete(formatAddress(entry.address));
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    removeSorted(this.#unheld, id);
    return true;
  }

  /** Holding what one holds already changes nothing. @returns false if another VM holds it: nothing changed */
  hold(address: Address, vm: VmId): boolean {
    const text = formatAddress(address);
    const entry = this.#byText.get(text);
    if (entry === undefined) {
      this.#byText.set(text, { address, vm, quarantinedUntilMs: 0, bindFailures: 0 });
      return true;
    }
    if (entry.vm !== undefined) return entry.vm === vm;
    entry.vm = vm;
    if (this.#isInPool(entry)) removeSorted(this.#unheld, entry.address.id);
    return true;
  }

  /** @returns false if that VM does not hold it: nothing changed */
  release(address: Address, vm: VmId): boolean {
    const text = formatAddress(address);
    const entry = this.#byText.get(text);
    if (entry?.vm !== vm) return false;
    entry.vm = undefined;
    if (this.#isInPool(entry)) insertSorted(this.#unheld, entry.address.id);
    else this.#byText.delete(text);
    return true;
  }

  /** Sets an address aside for a while that grows with each bind in a row that fails. */
  quarantine(address: Address, nowMs: number): void {
    const entry = this.#byText.get(formatAddress(address));
    if (entry === undefined) return;
    entry.bindFailures += 1;
    // Whoever has the address now will not let go of it within the millisecond: the first failure counts here.
    entry.quarantinedUntilMs = nowMs + backOffMs(entry.bindFailures + 1);
  }

  /** A guest answers on it. */
  proven(address: Address): void {
    const entry = this.#byText.get(formatAddress(address));
    if (entry !== undefined) entry.bindFailures = 0;
  }

  /** Addresses that a VM could be started on, lowest id first. */
  *free(nowMs: number): Generator<Address, undefined> {
    for (const id of this.#unheld) {
      const entry = this.#byId.get(id);
      if (entry !== undefined && entry.quarantinedUntilMs <= nowMs) yield entry.address;
    }
  }

  #isInPool(entry: PoolEntry): boolean {
    return this.#byId.get(entry.address.id) === entry;
  }
}
