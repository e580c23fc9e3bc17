import { type Address, formatAddress } from '../values/address.ts';
import type { VmId } from '../values/vm-id.ts';
import { insertSorted, removeSorted, sortedIndexBy } from './sorted.ts';

/** One row of `ip_pool` and what stands beside it. */
interface EntryRecord {
  readonly address: Address;
  /** The VM that holds it (`reserve`), from its reservation until its process is confirmed gone and that is durable. */
  vm: VmId | undefined;
  trouble: Trouble;
}

/** A value, because nearly all addresses share the one of no trouble. */
interface Trouble {
  /** VMs that were found on it although another holds it. They hold it after that one, until they are gone as well. */
  readonly intruders: readonly VmId[];
  /** Monotonic milliseconds until which it is set aside because its bind failed. */
  readonly quarantinedUntilMs: number;
  /** Binds that failed in a row. */
  readonly bindFailures: number;
}

const NO_TROUBLE: Trouble = { intruders: [], quarantinedUntilMs: 0, bindFailures: 0 };

export type PoolEntry = Readonly<EntryRecord>;

/**
 * Who holds which address. No address is ever given to two VMs (R8), not even one that was taken out of the pool while a VM is on it. An
 * address on which a second VM was found is not free before both are gone.
 */
export class AddressPool {
  /** In the order of their ids, by which they are found. */
  readonly #entries: EntryRecord[];
  /**
   * Addresses are told apart by what they are: `id_ip` may stand for another one after the pool was changed, or VMs may be on addresses
   * outside of it. Made when that is first so.
   */
  #byText: Map<string, EntryRecord> | undefined;
  /** Ids of addresses that nobody holds, lowest first; those in quarantine too. */
  readonly #unheld: number[] = [];
  /** Entries that were set aside, and of which nobody has seen yet that this is over. */
  readonly #quarantined = new Set<EntryRecord>();
  readonly #absent = new Map<VmId, Address>();
  /** Addresses that the tables give to VMs which were found on others: the tables free them together with those. */
  readonly #former = new Map<VmId, readonly Address[]>();
  readonly #releasing = new Map<VmId, readonly Address[]>();

  constructor(addresses: readonly Address[]) {
    this.#entries = [...addresses].sort((a, b) => a.id - b.id).map((address) => entryOf(address));
    for (const entry of this.#entries) this.#unheld.push(entry.address.id);
  }

  /** Lowest id first. */
  get entries(): readonly PoolEntry[] {
    return this.#entries;
  }

  /** Held by VMs that the tables know and the fleet has not seen. */
  get absent(): ReadonlyMap<VmId, Address> {
    return this.#absent;
  }

  /** Held by VMs that are gone, until that is durable. */
  get releasing(): ReadonlyMap<VmId, readonly Address[]> {
    return this.#releasing;
  }

  entry(address: Address): PoolEntry | undefined {
    return this.#find(address);
  }

  holder(address: Address): VmId | undefined {
    return this.entry(address)?.vm;
  }

  /** How many addresses `free` gives. */
  freeCount(nowMs: number): number {
    let setAside = 0;
    for (const entry of this.#quarantined) {
      if (entry.trouble.quarantinedUntilMs <= nowMs) this.#quarantined.delete(entry);
      else if (entry.vm === undefined && this.#isInPool(entry)) setAside += 1;
    }
    return this.#unheld.length - setAside;
  }

  /** Whether the VM is the only one on the address. */
  isAlone(vm: VmId, address: Address): boolean {
    const entry = this.entry(address);
    return entry?.vm === vm && entry.trouble.intruders.length === 0;
  }

  /** @returns false if the id or the address is in the pool already: nothing changed */
  add(address: Address): boolean {
    const known =
      this.#byText?.get(formatAddress(address)) ?? this.#entries.find((one) => isSame(one.address, address));
    if (this.#byId(address.id) !== undefined || (known !== undefined && this.#isInPool(known))) return false;
    const entry = entryOf(address, known);
    this.#byText?.set(formatAddress(address), entry);
    this.#entries.splice(this.#indexOf(address.id), 0, entry);
    if (entry.vm === undefined) insertSorted(this.#unheld, address.id);
    return true;
  }

  /** @returns false if it is not in the pool, or a VM holds it: nothing changed */
  remove(id: number): boolean {
    const entry = this.#byId(id);
    if (entry === undefined || entry.vm !== undefined) return false;
    this.#byText?.delete(formatAddress(entry.address));
    this.#entries.splice(this.#indexOf(id), 1);
    removeSorted(this.#unheld, id);
    return true;
  }

  /** Holding what the VM holds already changes nothing. @returns false if another VM holds it: nothing changed */
  hold(address: Address, vm: VmId): boolean {
    const entry = this.#find(address);
    if (entry === undefined) this.#texts.set(formatAddress(address), { ...entryOf(address), vm });
    else if (entry.vm !== undefined && entry.vm !== vm) return false;
    else if (entry.vm === undefined) {
      entry.vm = vm;
      if (this.#isInPool(entry)) removeSorted(this.#unheld, entry.address.id);
    }
    this.#seen(vm, address);
    return true;
  }

  /** As `hold`, for a VM that is on the address although another may hold it. */
  share(address: Address, vm: VmId): void {
    if (this.hold(address, vm)) return;
    const entry = this.#find(address);
    if (entry?.trouble.intruders.includes(vm) === false) note(entry, { intruders: [...entry.trouble.intruders, vm] });
    this.#seen(vm, address);
  }

  /** As `hold`, for a VM that has not been seen. */
  holdAbsent(address: Address, vm: VmId): boolean {
    if (!this.hold(address, vm)) return false;
    this.#absent.set(vm, address);
    return true;
  }

  /**
   * A VM is gone: its address is held until that is durable.
   * @param address undefined for a VM that has not been seen
   * @returns false if it holds none
   */
  leave(vm: VmId, address: Address | undefined): boolean {
    const held = address ?? this.#absent.get(vm);
    if (held === undefined) return false;
    this.#absent.delete(vm);
    this.#releasing.set(vm, [held, ...(this.#former.get(vm) ?? [])]);
    this.#former.delete(vm);
    return true;
  }

  /** It is durable that the VM has left. @returns false if it has not: nothing changed */
  release(vm: VmId): boolean {
    const addresses = this.#releasing.get(vm);
    if (addresses === undefined) return false;
    this.#releasing.delete(vm);
    for (const address of addresses) this.#drop(address, vm);
    return true;
  }

  /** A bind has failed: the address is set aside. @returns false if nothing is known of it */
  quarantine(address: Address, untilMs: number): boolean {
    const entry = this.#find(address);
    if (entry === undefined) return false;
    note(entry, { bindFailures: entry.trouble.bindFailures + 1, quarantinedUntilMs: untilMs });
    this.#quarantined.add(entry);
    return true;
  }

  /** A guest answers on it. */
  bound(address: Address): void {
    const entry = this.#find(address);
    if (entry !== undefined && entry.trouble !== NO_TROUBLE) note(entry, { bindFailures: 0 });
  }

  /** Addresses that a VM could be started on, lowest id first. */
  *free(nowMs: number): Generator<Address, undefined> {
    for (const id of this.#unheld) {
      const entry = this.#byId(id);
      if (entry !== undefined && entry.trouble.quarantinedUntilMs <= nowMs) yield entry.address;
    }
  }

  /** A VM is on the address. */
  #seen(vm: VmId, seen: Address): void {
    const absent = this.#absent.get(vm);
    // A VM that is seen again has not left: the write that says so no longer frees its address.
    const known = [...(absent === undefined ? [] : [absent]), ...(this.#releasing.get(vm) ?? [])];
    const former = known.filter((address) => !isSame(address, seen));
    if (former.length > 0) this.#former.set(vm, former);
    this.#absent.delete(vm);
    this.#releasing.delete(vm);
  }

  /** The VM is no longer on the address. */
  #drop(address: Address, vm: VmId): void {
    const entry = this.#find(address);
    if (entry === undefined) return;
    const { intruders } = entry.trouble;
    if (intruders.includes(vm)) note(entry, { intruders: intruders.filter((other) => other !== vm) });
    if (entry.vm !== vm) return;
    const [next, ...others] = entry.trouble.intruders;
    entry.vm = next;
    if (next !== undefined) note(entry, { intruders: others });
    if (entry.vm !== undefined) return;
    if (this.#isInPool(entry)) insertSorted(this.#unheld, entry.address.id);
    else this.#byText?.delete(formatAddress(address));
  }

  #byId(id: number): EntryRecord | undefined {
    const entry = this.#entries[this.#indexOf(id)];
    return entry?.address.id === id ? entry : undefined;
  }

  /** Where it stands, or would stand. */
  #indexOf(id: number): number {
    return sortedIndexBy(this.#entries, id, ({ address }) => address.id);
  }

  #find(address: Address): EntryRecord | undefined {
    const known = this.#byId(address.id);
    if (known !== undefined && isSame(known.address, address)) return known;
    return this.#texts.get(formatAddress(address));
  }

  get #texts(): Map<string, EntryRecord> {
    this.#byText ??= new Map(this.#entries.map((entry) => [formatAddress(entry.address), entry]));
    return this.#byText;
  }

  #isInPool(entry: EntryRecord): boolean {
    return this.#byId(entry.address.id) === entry;
  }
}

function isSame(one: Address, other: Address): boolean {
  return one.ip === other.ip && one.port === other.port;
}

/** @param known the same address outside of the pool, with the VMs that are on it */
function entryOf(address: Address, known?: EntryRecord): EntryRecord {
  const entry = { address, vm: known?.vm, trouble: NO_TROUBLE };
  if (known !== undefined) note(entry, { intruders: known.trouble.intruders });
  return entry;
}

function note(entry: EntryRecord, trouble: Partial<Trouble>): void {
  entry.trouble = { ...entry.trouble, ...trouble };
}
