import type { Address } from '../values/address.ts';
import type { GuestReady } from '../values/guest.ts';
import type { Params } from '../values/params.ts';
import type { Control } from '../values/relay.ts';
import type { VmId } from '../values/vm-id.ts';
import { AddressPool, type PoolEntry } from './address-pool.ts';
import { type Deploy, Images } from './deploy.ts';
import type { FleetOptions } from './fleet-options.ts';
import { type Host, HostRecord, isPossibleMemory } from './host.ts';
import { Neighbours } from './neighbours.ts';
import { changeRequest, handRequest } from './request-changes.ts';
import { RequestTable } from './request-table.ts';
import { RuleClock } from './rule-clock.ts';
import type {
  FleetTransition,
  NeighbourTransition,
  RequestTransition,
  Transition,
  VmTransition,
} from './transition.ts';
import { isStarting, type NewVm, type Vm, VmRecord } from './vm.ts';
import { changeVm } from './vm-changes.ts';
import { type Group, type Routing, type VmGroup, VmIndex } from './vm-index.ts';

/**
 * The VMs, addresses and requests of one host. Only `apply` changes it; each fact stands in one place, and what the rules ask for is kept
 * rather than counted.
 */
export class Fleet {
  readonly requests: RequestTable;
  readonly neighbours: Neighbours;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly routing: Routing;
  readonly control: Control;
  #params: Params;
  readonly #vms = new Map<VmId, VmRecord>();
  readonly #index: VmIndex;
  readonly #pool: AddressPool;
  readonly #host: HostRecord;
  readonly #images: Images;
  readonly #clock = new RuleClock();
  /** VMs whose memory the host's last figure does not show yet. */
  readonly #unmeasured = new Set<VmId>();
  #closing = false;
  #cordoned = false;
  #guest: GuestReady | undefined;
  #blocked: string | undefined;
  #sizingFault: string | undefined;
  #waitToldMs = Number.NEGATIVE_INFINITY;

  constructor({ host, census, params, pool, held, routing, control, image, deploy, nowMs }: FleetOptions) {
    this.startedMs = nowMs;
    this.requests = new RequestTable(nowMs);
    this.neighbours = new Neighbours(host);
    this.routing = routing ?? 'pack';
    this.control = control ?? 'direct';
    this.#params = params;
    this.#index = new VmIndex(this.routing);
    this.#pool = new AddressPool(pool);
    this.#host = new HostRecord(host, census);
    this.#images = new Images(image, deploy);
    for (const { vm, address } of held ?? []) this.#pool.holdAbsent(address, vm);
  }

  get params(): Params {
    return this.#params;
  }

  /** The image that the rules start VMs from, canaries apart; undefined: whatever the controller has. */
  get image(): string | undefined {
    return this.#images.inForce;
  }

  /** The deploy that runs. */
  get deploy(): Deploy | undefined {
    return this.#images.deploy;
  }

  get host(): Host {
    return this.#host;
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  /** It hands on all it can, and takes nothing from others. */
  get isCordoned(): boolean {
    return this.#cordoned;
  }

  /** The guest that was ready last. */
  get guest(): GuestReady | undefined {
    return this.#guest;
  }

  /** Why no VM can be started, as it was last told. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** When requests that wait were last told why; monotonic milliseconds. */
  get waitToldMs(): number {
    return this.#waitToldMs;
  }

  /** How the sizing policy last failed. */
  get sizingFault(): string | undefined {
    return this.#sizingFault;
  }

  get vms(): Iterable<Vm> {
    return this.#vms.values();
  }

  get vmCount(): number {
    return this.#vms.size;
  }

  vm(id: VmId): Vm | undefined {
    return this.#vms.get(id);
  }

  /** The VMs of which that is true. */
  group(name: Group): VmGroup {
    return this.#index.group(name);
  }

  /** Whether a VM without a first status line got its lease at that moment of the rule clock or earlier. */
  isLeaseFrom(ruleMs: number): boolean {
    return this.#index.isLeaseFrom(ruleMs);
  }

  /** Whether a VM that boots began at that moment of the rule clock or earlier. */
  isBootFrom(ruleMs: number): boolean {
    return this.#index.isBootFrom(ruleMs);
  }

  /** VMs that have reported, longest unheard first. */
  get heard(): Iterable<Vm> {
    return this.#index.heard;
  }

  get longestUnheard(): Vm | undefined {
    return this.#index.longestUnheard;
  }

  /** VMs on their way to ready. Those of a host out of reach are no capacity. */
  get starting(): number {
    return this.#isAway ? 0 : this.#index.group('starting').size;
  }

  /** VMs that are prepared or being prepared, and wanted by nobody. */
  get spares(): number {
    return this.#isAway ? 0 : this.#index.group('spares').size;
  }

  /** VMs that the host's last figure of its memory does not show. */
  get unmeasured(): number {
    return this.#unmeasured.size;
  }

  /** R2's choice. */
  get freeVm(): Vm | undefined {
    if (this.#isAway) return undefined;
    return this.#images.freeVm(this.#index.freeVm, this.#index.group('serving'), this.#params);
  }

  /** Requests that the free VMs take at once. */
  get freeSlots(): number {
    return this.#isAway ? 0 : this.#index.freeSlots;
  }

  /** R4's choice: of the VMs whose queue takes one more. */
  get leastLoaded(): Vm | undefined {
    return this.#isAway ? undefined : this.#index.leastLoaded;
  }

  /** Lowest id first. */
  get pool(): readonly PoolEntry[] {
    return this.#pool.entries;
  }

  /** Addresses of VMs that are gone while that is not durable yet. */
  get releasing(): ReadonlyMap<VmId, readonly Address[]> {
    return this.#pool.releasing;
  }

  /** Addresses that the tables give to VMs of which the host has not told. */
  get absent(): ReadonlyMap<VmId, Address> {
    return this.#pool.absent;
  }

  /** What the pool knows of an address, which may be outside of it while a VM is on it. */
  poolEntry(address: Address): PoolEntry | undefined {
    return this.#pool.entry(address);
  }

  holder(address: Address): VmId | undefined {
    return this.#pool.holder(address);
  }

  /** Whether the VM is the only one on the address. */
  isAlone(vm: VmId, address: Address): boolean {
    return this.#pool.isAlone(vm, address);
  }

  /** Addresses that a VM could be started on, lowest id first; none while the host is not in reach. */
  *freeAddresses(nowMs: number): Generator<Address, undefined> {
    if (this.#host.reach === 'up') yield* this.#pool.free(nowMs);
  }

  /** How many there are. */
  freeAddressCount(nowMs: number): number {
    return this.#host.reach === 'up' ? this.#pool.freeCount(nowMs) : 0;
  }

  /** Milliseconds of the clock that the rules judge VMs by. */
  ruleMs(nowMs: number): number {
    return this.#clock.at(nowMs);
  }

  /** @returns false if the transition does not fit what is known: nothing changed */
  apply(transition: Transition): boolean {
    switch (transition.kind) {
      case 'params':
      case 'closing':
      case 'paused':
      case 'host-up':
      case 'host-away':
      case 'host-failure':
      case 'host-memory':
      case 'no-id':
      case 'blocked':
      case 'wait-told':
      case 'sizing-fault':
      case 'cordoned':
        return this.#change(transition);
      case 'neighbour-up':
      case 'neighbour-told':
      case 'neighbour-lost':
      case 'neighbour-gone':
        return this.#changeNeighbour(transition);
      case 'address-added':
        return this.#pool.add(transition.address);
      case 'address-removed':
        return this.#pool.remove(transition.id);
      case 'address-quarantined':
        return this.#pool.quarantine(transition.address, transition.untilMs);
      case 'absent-gone':
        return this.#pool.leave(transition.vm, undefined);
      case 'released':
        return this.#pool.release(transition.vm);
      case 'deploy-begun':
      case 'deploy-phase':
      case 'deploy-failure':
      case 'deploy-ended':
        return this.#images.apply(transition);
      case 'vm-reserved':
        return this.#reserve(transition);
      case 'vm-gone':
        return this.#gone(transition.vm);
      case 'request-waits':
      case 'request-dispatched':
      case 'request-handed':
      case 'request-refused':
      case 'request-asks':
      case 'waiter-extended':
      case 'request-orphaned':
      case 'request-left':
        return this.#changeRequest(transition);
      default:
        return this.#changeVm(transition);
    }
  }

  get #isAway(): boolean {
    return this.#host.reach === 'away';
  }

  #change(transition: Exclude<FleetTransition, NeighbourTransition>): boolean {
    switch (transition.kind) {
      case 'params':
        this.#params = transition.params;
        for (const vm of this.#vms.values()) this.#index.changed(vm, this.#params);
        return true;
      case 'closing':
        this.#closing = true;
        return true;
      case 'paused':
        this.#clock.leaveOut(transition.forMs);
        return true;
      case 'host-up':
        return this.#hostUp(transition.nowMs);
      case 'host-away':
        if (this.#isAway) return false;
        this.#host.reach = 'away';
        // It was out of reach from when it was last heard on.
        if (this.#host.heardMs !== undefined) this.#clock.leaveOut(this.ruleMs(transition.nowMs) - this.#host.heardMs);
        this.#clock.stop(transition.nowMs);
        return true;
      case 'host-failure':
        this.#host.failures = transition.failures;
        this.#host.failedMs = transition.nowMs;
        this.#host.notBeforeMs = transition.notBeforeMs;
        this.#host.soundMs = 0;
        return true;
      case 'host-memory':
        return this.#hostMemory(transition);
      case 'no-id':
        this.#host.noIdBeforeMs = transition.untilMs;
        return true;
      case 'blocked':
        this.#blocked = transition.cause;
        return true;
      case 'wait-told':
        this.#waitToldMs = transition.nowMs;
        return true;
      case 'sizing-fault':
        this.#sizingFault = transition.why;
        return true;
      case 'cordoned':
        this.#cordoned = transition.on;
        return true;
    }
  }

  #hostUp(nowMs: number): boolean {
    if (this.#host.reach === 'up') return false;
    this.#host.reach = 'up';
    this.#clock.resume(nowMs);
    if (this.#host.heardMs !== undefined) this.#host.heardMs = this.ruleMs(nowMs);
    return true;
  }

  #hostMemory({ memory, nowMs }: Extract<FleetTransition, { kind: 'host-memory' }>): boolean {
    if (!isPossibleMemory(memory)) return false;
    this.#host.memory = memory;
    this.#host.heardMs = this.ruleMs(nowMs);
    // Booting is what takes a VM's memory.
    for (const id of this.#unmeasured) if (this.#vms.get(id)?.readyMs !== undefined) this.#unmeasured.delete(id);
    for (const { id } of this.#index.group('bootedSpares')) this.#unmeasured.delete(id);
    return true;
  }

  #reserve(vm: NewVm): boolean {
    if (this.#vms.has(vm.vm)) return false;
    if (vm.isIntruder === true) this.#pool.share(vm.address, vm.vm);
    else if (!this.#pool.hold(vm.address, vm.vm)) return false;
    const record = new VmRecord(vm, this.#params, this.ruleMs(vm.nowMs));
    this.#vms.set(record.id, record);
    this.#index.add(record, this.#params);
    if (isStarting(record) || record.spare) this.#unmeasured.add(record.id);
    return true;
  }

  #gone(id: VmId): boolean {
    const vm = this.#vms.get(id);
    if (vm === undefined) return false;
    this.#vms.delete(id);
    this.#index.remove(vm);
    this.#unmeasured.delete(id);
    this.#pool.leave(id, vm.address);
    return true;
  }

  #changeVm(transition: Exclude<VmTransition, { kind: 'vm-reserved' | 'vm-gone' }>): boolean {
    const vm = this.#vms.get(transition.vm);
    if (vm === undefined) return false;
    const nowMs = 'nowMs' in transition ? this.ruleMs(transition.nowMs) : 0;
    if (!changeVm(vm, transition, this.#params, nowMs)) return false;
    if (transition.kind === 'vm-linked' && !transition.linked) this.#images.answered(vm, true);
    if (transition.kind === 'vm-report') this.#index.reported(vm, this.#params);
    else this.#index.changed(vm, this.#params);
    if (isSignOfLife(transition) && vm.heardMs === nowMs) this.#index.heardNow(vm);
    if (transition.kind === 'vm-answering') {
      this.#pool.bound(vm.address);
      this.#guest = transition.guest;
    }
    if (transition.kind === 'vm-report') this.#heard(vm, nowMs);
    return true;
  }

  /** A host that forwards a report is there. If it never told of itself, its silence means nothing. */
  #heard(vm: VmRecord, ruleMs: number): void {
    if (this.#host.heardMs !== undefined) this.#host.heardMs = ruleMs;
    this.#host.noteSound(vm, ruleMs);
  }

  #changeNeighbour(transition: NeighbourTransition): boolean {
    const { vmRequestsMax } = this.#params;
    switch (transition.kind) {
      case 'neighbour-up':
        return this.neighbours.up(transition.host, transition.session, transition.nowMs, vmRequestsMax);
      case 'neighbour-told': {
        const { host, figures, seen, nowMs } = transition;
        return this.neighbours.told(host, figures, seen, nowMs, vmRequestsMax);
      }
      case 'neighbour-lost':
        return this.neighbours.lose(transition.host, transition.why, transition.isThere === true, transition.nowMs);
      case 'neighbour-gone':
        return this.neighbours.forget(transition.neighbour);
    }
  }

  #changeRequest(transition: RequestTransition): boolean {
    if (transition.kind === 'request-handed') {
      const record = this.neighbours.handed(transition.host, transition.frame);
      return record !== undefined && handRequest(this.requests, transition, record);
    }
    if (transition.kind === 'request-refused') this.neighbours.refused(transition.by);
    const id = transition.kind === 'request-dispatched' ? transition.vm : transition.request.vm;
    const vm = id === undefined ? undefined : this.#vms.get(id);
    const change = changeRequest(this.requests, vm, transition, this.#params, this.#clock);
    if (vm !== undefined && change !== undefined) this.#noteForDeploy(vm, transition);
    if (vm !== undefined && change === 'load') this.#index.loadChanged(vm, this.#params);
    else if (vm !== undefined && change === 'record') this.#index.changed(vm, this.#params);
    return change !== undefined;
  }

  #noteForDeploy(vm: Vm, transition: RequestTransition): void {
    if (transition.kind === 'request-dispatched') this.#images.dispatched(vm);
    else if (transition.kind === 'request-left' && transition.isError !== undefined) {
      this.#images.answered(vm, transition.isError);
    }
  }
}

/** Those by which a VM is heard of, if it has reported. */
function isSignOfLife({ kind }: VmTransition): boolean {
  return kind === 'vm-report' || kind === 'vm-heard' || kind === 'vm-linked';
}
