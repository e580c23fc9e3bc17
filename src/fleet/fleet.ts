import type { Address } from './address.ts';
import { AddressPool, type PoolEntry } from './address-pool.ts';
import { countEnd, countSound, type Host, newHost } from './host-record.ts';
import type { Mutable } from './mutable.ts';
import type { Params } from './params.ts';
import type { Transition } from './transition.ts';
import type { VmId } from './vm.ts';
import { VmBuckets } from './vm-buckets.ts';
import {
  changeVm,
  hasRoom,
  isFree,
  isSpare,
  isStarting,
  leaveOut,
  type NewVm,
  newVm,
  type Vm,
  type VmEvent,
} from './vm-record.ts';

/** R2: `pack` fills VMs so that others fall idle and can go, `spread` keeps the load of each low. */
export type Routing = 'pack' | 'spread';

/** VMs, addresses and hosts with the indexes that the rules ask for. Only `apply` changes it. */
export class Fleet {
  readonly routing: Routing;
  #params: Params;
  readonly #vms = new Map<VmId, Mutable<Vm>>();
  readonly #pool: AddressPool;
  readonly #hosts = new Map<string, Mutable<Host>>();
  readonly #free = new VmBuckets();
  readonly #roomy = new VmBuckets();
  #waiting = 0;
  #starting = 0;
  #spares = 0;
  #closing = false;

  constructor(params: Params, addresses: readonly Address[], routing: Routing = 'pack') {
    this.#params = params;
    this.#pool = new AddressPool(addresses);
    this.routing = routing;
  }

  get params(): Params {
    return this.#params;
  }

  get vms(): Iterable<Vm> {
    return this.#vms.values();
  }

  get vmCount(): number {
    return this.#vms.size;
  }

  /** Lowest id first. */
  get pool(): readonly PoolEntry[] {
    return this.#pool.entries;
  }

  get hosts(): Iterable<Host> {
    return this.#hosts.values();
  }

  /** Requests that wait in the router. */
  get waiting(): number {
    return this.#waiting;
  }

  /** VMs on their way to ready. */
  get starting(): number {
    return this.#starting;
  }

  /** VMs that are prepared, or being prepared, and wanted by nobody. */
  get spares(): number {
    return this.#spares;
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  vm(id: VmId): Vm | undefined {
    return this.#vms.get(id);
  }

  host(name: string): Host | undefined {
    return this.#hosts.get(name);
  }

  holder(address: Address): VmId | undefined {
    return this.#pool.holder(address);
  }

  /** R2's choice. */
  freeVm(): VmId | undefined {
    return this.routing === 'pack' ? this.#free.fullest() : this.#free.emptiest();
  }

  /** R4's candidates: the VMs with the fewest in flight whose queue takes one more. */
  emptiestWithRoom(): Iterable<VmId> {
    return this.#roomy.allEmptiest();
  }

  /** Addresses that a VM could be started on, lowest id first; those of hosts out of reach are left out. */
  *freeAddresses(nowMs: number): Generator<Address, undefined> {
    for (const address of this.#pool.free(nowMs)) if (this.#isInReach(address.host)) yield address;
  }

  /** @returns false if the event does not fit what is known (a late or repeated message): nothing changed */
  apply(event: Transition): boolean {
    switch (event.kind) {
      case 'host-up':
        return this.#hostUp(event.host, event.nowMs);
      case 'host-down':
        return this.#hostDown(event.host, event.nowMs);
      case 'host-memory':
        return this.#hostMemory(event);
      case 'address-added':
        return this.#pool.add(event.address);
      case 'address-removed':
        return this.#pool.remove(event.id);
      case 'address-held':
        return this.#pool.hold(event.address, event.vm);
      case 'params':
        this.#params = event.params;
        this.#reindex();
        return true;
      case 'closing':
        this.#closing = true;
        return true;
      case 'waiting':
        this.#waiting += event.change;
        return true;
      case 'paused':
        for (const vm of this.#vms.values()) leaveOut(vm, event.forMs, event.nowMs);
        for (const host of this.#hosts.values()) if (host.heardMs !== undefined) host.heardMs += event.forMs;
        return true;
      case 'vm-reserved':
        return this.#reserve(event);
      case 'vm-gone':
        return this.#gone(event);
      case 'released':
        return this.#pool.release(event.address, event.vm);
      default:
        return this.#applyToVm(event);
    }
  }

  #applyToVm(event: VmEvent): boolean {
    const vm = this.#vms.get(event.vm);
    if (vm === undefined) return false;
    this.#unindex(vm);
    const changed = changeVm(vm, event, this.#params);
    this.#index(vm);
    if (event.kind === 'vm-answering') this.#pool.proven(vm.address);
    if (event.kind === 'vm-report' && changed) this.#heard(vm, event.nowMs);
    return changed;
  }

  #reserve(event: NewVm): boolean {
    if (this.#vms.has(event.vm) || !this.#pool.hold(event.address, event.vm)) return false;
    const vm = newVm(event, this.#params);
    this.#vms.set(vm.id, vm);
    this.#index(vm);
    return true;
  }

  #gone(event: Extract<Transition, { kind: 'vm-gone' }>): boolean {
    const vm = this.#vms.get(event.vm);
    if (vm === undefined) return false;
    this.#unindex(vm);
    this.#vms.delete(vm.id);
    if (event.bindFailed) this.#pool.quarantine(vm.address, event.nowMs);
    const host = this.#hosts.get(vm.host);
    if (host !== undefined) countEnd(host, vm, event.bindFailed, event.nowMs);
    return true;
  }

  #hostUp(name: string, nowMs: number): boolean {
    const host = this.#hosts.get(name);
    if (host === undefined) {
      this.#hosts.set(name, newHost(name));
      return true;
    }
    if (host.downMs === undefined) return false;
    const awayMs = nowMs - host.downMs;
    host.downMs = undefined;
    if (host.heardMs !== undefined) host.heardMs = nowMs;
    for (const vm of this.#vmsOf(name)) {
      if (vm.stateBefore === undefined) continue;
      vm.state = vm.stateBefore;
      vm.stateBefore = undefined;
      // It could not be heard in that time, nor do what it was told.
      leaveOut(vm, awayMs, nowMs);
      this.#index(vm);
    }
    return true;
  }

  #hostDown(name: string, nowMs: number): boolean {
    const host = this.#hosts.get(name);
    if (host === undefined || host.downMs !== undefined) return false;
    host.downMs = nowMs;
    for (const vm of this.#vmsOf(name)) {
      this.#unindex(vm);
      vm.stateBefore = vm.state;
      vm.state = 'unknown';
    }
    return true;
  }

  #hostMemory({ host: name, memory, nowMs }: Extract<Transition, { kind: 'host-memory' }>): boolean {
    const host = this.#hosts.get(name);
    const figures = [memory.availableBytes, memory.vmBytes];
    if (host === undefined || !figures.every((bytes) => Number.isSafeInteger(bytes) && bytes >= 0)) return false;
    host.memory = memory;
    host.heardMs = nowMs;
    return true;
  }

  /** Whoever forwards a report is there. Of hosts that never tell of themselves nothing is concluded. */
  #heard(vm: Vm, nowMs: number): void {
    const host = this.#hosts.get(vm.host);
    if (host === undefined) return;
    if (host.heardMs !== undefined) host.heardMs = nowMs;
    countSound(host, vm, nowMs);
  }

  #isInReach(name: string | undefined): boolean {
    if (name === undefined) return [...this.#hosts.values()].some((host) => host.downMs === undefined);
    const host = this.#hosts.get(name);
    return host !== undefined && host.downMs === undefined;
  }

  *#vmsOf(host: string): Generator<Mutable<Vm>> {
    for (const vm of this.#vms.values()) if (vm.host === host) yield vm;
  }

  #reindex(): void {
    this.#free.clear();
    this.#roomy.clear();
    this.#starting = 0;
    this.#spares = 0;
    for (const vm of this.#vms.values()) this.#index(vm);
  }

  #index(vm: Vm): void {
    if (isFree(vm, this.#params)) this.#free.add(vm.id, vm.inFlight);
    if (hasRoom(vm, this.#params)) this.#roomy.add(vm.id, vm.inFlight);
    if (isStarting(vm)) this.#starting += 1;
    if (isSpare(vm)) this.#spares += 1;
  }

  #unindex(vm: Vm): void {
    if (isFree(vm, this.#params)) this.#free.remove(vm.id, vm.inFlight);
    if (hasRoom(vm, this.#params)) this.#roomy.remove(vm.id, vm.inFlight);
    if (isStarting(vm)) this.#starting -= 1;
    if (isSpare(vm)) this.#spares -= 1;
  }
}
