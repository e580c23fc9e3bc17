import type { Address } from './address.ts';
import type { DrainDecision, Figures, FleetDecision, Rule, StopDecision } from './decision.ts';
import type { Fleet } from './fleet.ts';
import type { Host } from './host-record.ts';
import type { VmId } from './vm.ts';
import { isStarting, type Vm } from './vm-record.ts';

/** What runs on one host, without what the plan has decided to end. */
export interface Census {
  readonly ready: readonly Vm[];
  readonly starting: readonly Vm[];
  readonly spares: readonly Vm[];
  /** VMs of any kind, also those that are leaving. */
  readonly total: number;
}

/** The decisions of one step so far, with what they have used up: later rules see what earlier ones decided. */
export class Plan {
  readonly fleet: Fleet;
  readonly nowMs: number;
  readonly decisions: FleetDecision[] = [];
  readonly #leaving = new Set<VmId>();
  readonly #usedSpares = new Set<VmId>();
  readonly #usedAddresses = new Set<Address>();
  readonly #startedOn = new Map<string, number>();
  /** VMs that this plan starts as capacity. */
  #started = 0;

  constructor(fleet: Fleet, nowMs: number) {
    this.fleet = fleet;
    this.nowMs = nowMs;
  }

  /** VMs on their way to ready, those that this plan starts among them. */
  get starting(): number {
    let leaving = 0;
    for (const id of this.#leaving) {
      const vm = this.fleet.vm(id);
      if (vm !== undefined && isStarting(vm)) leaving += 1;
    }
    return this.fleet.starting - leaving + this.#started;
  }

  get hasStarted(): boolean {
    return this.#started > 0;
  }

  isLeaving(vm: VmId): boolean {
    return this.#leaving.has(vm);
  }

  /** VMs that this plan starts on the host. */
  startedOn(host: string): number {
    return this.#startedOn.get(host) ?? 0;
  }

  census(host: string): Census {
    const ready: Vm[] = [];
    const starting: Vm[] = [];
    const spares: Vm[] = [];
    let total = 0;
    for (const vm of this.fleet.vms) {
      if (vm.host !== host) continue;
      total += 1;
      if (this.#leaving.has(vm.id)) continue;
      if (vm.state === 'ready') ready.push(vm);
      else if (isStarting(vm) || this.#usedSpares.has(vm.id)) starting.push(vm);
      else if (vm.spare && vm.state !== 'stopping') spares.push(vm);
    }
    return { ready, starting, spares, total };
  }

  drain(decision: Omit<DrainDecision, 'kind'>): void {
    if (this.#leaving.has(decision.vm)) return;
    this.#leaving.add(decision.vm);
    this.decisions.push({ kind: 'drain', ...decision });
  }

  stop(decision: Omit<StopDecision, 'kind'>): void {
    if (this.#leaving.has(decision.vm)) return;
    this.#leaving.add(decision.vm);
    this.decisions.push({ kind: 'stop', ...decision });
  }

  hostDown(rule: Rule, host: string, figures: Figures): void {
    this.decisions.push({ kind: 'host-down', rule, host, figures });
  }

  /**
   * Starts a VM on a host, or on whichever has the fewest: a prepared spare first, then the free address of lowest id, then a spare
   * that is still being prepared.
   * @returns false if no host may start one, or no address is free there
   */
  start(rule: Rule, host: Host | undefined, figures: Figures, replaces?: VmId): boolean {
    const place = this.#sparePlace('prepared', host) ?? this.#newPlace(host) ?? this.#sparePlace('preparing', host);
    if (place === undefined) return false;
    const { address, spare } = place;
    this.#started += 1;
    if (spare !== undefined) this.#usedSpares.add(spare);
    else this.#take(place);
    const decision = { kind: 'start', rule, host: place.host, address, spare, figures } as const;
    this.decisions.push(replaces === undefined ? decision : { ...decision, replaces });
    return true;
  }

  /** Prepares a spare. @returns as `start` */
  prepare(host: Host, figures: Figures): boolean {
    const place = this.#newPlace(host);
    if (place === undefined) return false;
    this.#take(place);
    this.decisions.push({ kind: 'prepare', rule: 'R3', host: place.host, address: place.address, figures });
    return true;
  }

  #take({ host, address }: Place): void {
    this.#usedAddresses.add(address);
    this.#startedOn.set(host, this.startedOn(host) + 1);
  }

  #sparePlace(state: 'prepared' | 'preparing', host: Host | undefined): Place | undefined {
    if (this.fleet.spares === 0) return undefined;
    for (const vm of this.fleet.vms) {
      if (!vm.spare || vm.state !== state || this.#leaving.has(vm.id) || this.#usedSpares.has(vm.id)) continue;
      if (host !== undefined && vm.host !== host.name) continue;
      const { notBeforeMs } = this.fleet.host(vm.host) ?? { notBeforeMs: 0 };
      if (notBeforeMs <= this.nowMs) return { host: vm.host, address: vm.address, spare: vm.id };
    }
    return undefined;
  }

  #newPlace(host: Host | undefined): Place | undefined {
    const hosts = (host === undefined ? [...this.fleet.hosts] : [host]).filter((it) => this.#mayStart(it));
    if (hosts.length === 0) return undefined;
    for (const address of this.fleet.freeAddresses(this.nowMs)) {
      if (this.#usedAddresses.has(address)) continue;
      const owners = address.host === undefined ? hosts : hosts.filter((it) => it.name === address.host);
      const owner = this.#emptiest(owners);
      if (owner !== undefined) return { host: owner.name, address, spare: undefined };
    }
    return undefined;
  }

  #mayStart(host: Host): boolean {
    return host.downMs === undefined && host.notBeforeMs <= this.nowMs && this.#hasMemory(host);
  }

  /** What a VM takes shows in the host's figure only when it has booted: those on their way are counted in full. */
  #hasMemory(host: Host): boolean {
    if (host.memory === undefined) return true;
    const { availableBytes, vmBytes } = host.memory;
    const { starting, spares } = this.census(host.name);
    const owed = starting.length + spares.length + this.startedOn(host.name) + 1;
    return availableBytes - owed * vmBytes >= this.fleet.params.hostMemoryReserveBytes;
  }

  #emptiest(hosts: readonly Host[]): Host | undefined {
    if (hosts.length <= 1) return hosts[0];
    const load = (host: Host): number => this.census(host.name).total + this.startedOn(host.name);
    return hosts.reduce((best, host) => (load(host) < load(best) ? host : best));
  }
}

interface Place {
  readonly host: string;
  readonly address: Address;
  readonly spare: VmId | undefined;
}
