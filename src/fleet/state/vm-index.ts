import { FAULTS_MAX, type Params } from '../values/params.ts';
import { BestOf } from './best-of.ts';
import { Oldest } from './oldest.ts';
import { SlotList } from './slot-list.ts';
import { hasRoom, isFree, isServing, isSpare, isStarting, type Vm, type VmRecord } from './vm.ts';

/** R2: `pack` fills VMs so that others fall idle and can go, `spread` keeps the load of each low. */
export type Routing = 'pack' | 'spread';

/** What a rule asks for: the VMs of which it is true, kept up to date so that no rule has to search. */
const GROUPS = {
  ready: (vm: Vm) => vm.state === 'ready',
  serving: isServing,
  starting: isStarting,
  spares: isSpare,
  bootedSpares: (vm: Vm) => isSpare(vm) && vm.booted === 'yes',
  preparing: (vm: Vm) => vm.state === 'preparing',
  booting: (vm: Vm) => vm.state === 'booting',
  /** Without a first status line, a prepared spare excepted: R7's. */
  unreported: (vm: Vm) => vm.seq === undefined && vm.state !== 'stopping' && !(vm.spare && vm.state === 'prepared'),
  draining: (vm: Vm) => vm.state === 'draining',
  stopping: (vm: Vm) => vm.state === 'stopping',
  /** R2 ejects these, or may. */
  failing: (vm: Vm) => vm.state === 'ready' && (vm.faults >= FAULTS_MAX || vm.linkDownMs !== undefined),
  ejected: (vm: Vm) => vm.ejected,
  replaced: (vm: Vm) => vm.state === 'ready' && vm.replace,
  /** R5. */
  surplus: (vm: Vm, params: Params) => isServing(vm) && vm.freeCount >= params.freeCount,
  asked: (vm: Vm) => vm.askedMs !== undefined,
} as const satisfies Record<string, (vm: Vm, params: Params) => boolean>;

export type Group = keyof typeof GROUPS;

/** The VMs of a group. */
export interface VmGroup extends Iterable<Vm> {
  readonly size: number;
  has(vm: Vm): boolean;
}

/** Nearly all VMs are in these, nearly always, so a set of them would only repeat what the records say. */
const COMMON: readonly Group[] = ['ready', 'serving'];

const NAMES: readonly Group[] = Object.keys(GROUPS).filter((name): name is Group => name in GROUPS);
const UNREPORTED = NAMES.indexOf('unreported');
const BOOTING = NAMES.indexOf('booting');
const PREDICATES: readonly ((vm: Vm, params: Params) => boolean)[] = NAMES.map((name) => GROUPS[name]);
const ALL: readonly number[] = [...NAMES.keys()];
/** The groups that depend on what a report changes: its figures, the idle reports in a row, and an open question. */
const OF_REPORTS: readonly number[] = ALL.filter((bit) =>
  ['unreported', 'surplus', 'asked'].includes(NAMES[bit] ?? ''),
);

/** VMs by what the rules ask for. Nothing here is a fact of its own: all of it follows from the records. */
export class VmIndex {
  readonly #slots: (VmRecord | undefined)[] = [];
  readonly #groups: readonly (Set<VmRecord> | CommonGroup)[] = NAMES.map((name, bit) =>
    COMMON.includes(name) ? new CommonGroup(this.#slots, bit) : new Set(),
  );
  readonly #byName: ReadonlyMap<Group, VmGroup> = new Map(NAMES.map((name, bit) => [name, this.#groups[bit] ?? EMPTY]));
  readonly #unused: number[] = [];
  /** R2: what a VM's requests count for in its rank. */
  readonly #fill: 1 | -1;
  readonly #free = new BestOf();
  readonly #roomy = new BestOf();
  #freeSlots = 0;
  /** VMs that have reported, in the order in which they were last heard of. */
  readonly #heard = new SlotList();

  readonly #oldestLease = new Oldest(this.group('unreported'), ({ leaseMs }) => leaseMs);
  readonly #oldestBoot = new Oldest(this.group('booting'), ({ bootMs, leaseMs }) => bootMs ?? leaseMs);

  constructor(routing: Routing) {
    this.#fill = routing === 'pack' ? -1 : 1;
  }

  group(name: Group): VmGroup {
    return this.#byName.get(name) ?? EMPTY;
  }

  /** R2's choice. */
  get freeVm(): Vm | undefined {
    return this.#at(this.#free.best);
  }

  /** Requests that the free VMs take at once. */
  get freeSlots(): number {
    return this.#freeSlots;
  }

  /** R4's choice. */
  get leastLoaded(): Vm | undefined {
    return this.#at(this.#roomy.best);
  }

  /** Whether one that has not reported got its lease at that moment of the rule clock or earlier. */
  isLeaseFrom(ruleMs: number): boolean {
    return this.#oldestLease.isFrom(ruleMs);
  }

  /** Whether one that boots began at that moment of the rule clock or earlier. */
  isBootFrom(ruleMs: number): boolean {
    return this.#oldestBoot.isFrom(ruleMs);
  }

  /** VMs that have reported, longest unheard first. */
  get heard(): Iterable<Vm> {
    return this.#heardVms();
  }

  get longestUnheard(): Vm | undefined {
    return this.#at(this.#heard.first);
  }

  add(vm: VmRecord, params: Params): void {
    vm.slot = this.#unused.pop() ?? this.#slots.length;
    this.#slots[vm.slot] = vm;
    this.changed(vm, params);
  }

  remove(vm: VmRecord): void {
    const { slot } = vm;
    this.#regroup(vm, 0);
    this.#free.remove(slot);
    this.#freeSlots -= vm.freeSlots;
    vm.freeSlots = 0;
    this.#roomy.remove(slot);
    this.#heard.remove(slot);
    this.#slots[slot] = undefined;
    this.#unused.push(slot);
  }

  /** Brings everything up to date with the record. */
  changed(vm: VmRecord, params: Params): void {
    this.#regroup(vm, groupsOf(vm, params, ALL));
    this.loadChanged(vm, params);
  }

  /** The same where no more has changed than requests in flight: the way of every request. */
  loadChanged(vm: VmRecord, params: Params): void {
    const { id, slot, inFlight } = vm;
    const isTaking = isFree(vm, params);
    if (isTaking) this.#free.put(slot, this.#fill * inFlight, 0, 0, id);
    else this.#free.remove(slot);
    const slots = isTaking ? params.vmRequestsMax - inFlight : 0;
    this.#freeSlots += slots - vm.freeSlots;
    vm.freeSlots = slots;
    if (hasRoom(vm, params)) this.#putRoomy(vm);
    else this.#roomy.remove(slot);
  }

  /** The same where a report has come: neither state nor requests in flight have changed. */
  reported(vm: VmRecord, params: Params): void {
    this.#regroup(vm, groupsOf(vm, params, OF_REPORTS));
    if (hasRoom(vm, params)) this.#putRoomy(vm);
  }

  /** The VM was heard of at this moment, after all others. */
  heardNow(vm: VmRecord): void {
    this.#heard.toEnd(vm.slot);
  }

  #regroup(vm: VmRecord, groups: number): void {
    const changed = vm.groups ^ groups;
    if (changed === 0) return;
    vm.groups = groups;
    for (let bit = 0; bit < NAMES.length; bit++) {
      if ((changed & (1 << bit)) === 0) continue;
      if ((groups & (1 << bit)) !== 0) this.#groups[bit]?.add(vm);
      else this.#groups[bit]?.delete(vm);
    }
    if ((changed & groups & (1 << UNREPORTED)) !== 0) this.#oldestLease.added(vm);
    if ((changed & groups & (1 << BOOTING)) !== 0) this.#oldestBoot.added(vm);
  }

  /** R4: fewest in flight, then lowest `cpu`, then `ram`; of equals the oldest. */
  #putRoomy({ id, slot, inFlight, cpuPercent, ramBytes }: VmRecord): void {
    this.#roomy.put(slot, inFlight, cpuPercent, ramBytes, id);
  }

  *#heardVms(): Generator<Vm, undefined> {
    for (const slot of this.#heard) {
      const vm = this.#slots[slot];
      if (vm !== undefined) yield vm;
    }
  }

  #at(slot: number | undefined): Vm | undefined {
    return slot === undefined ? undefined : this.#slots[slot];
  }
}

const EMPTY: VmGroup = new Set<Vm>();

/** A group of which only the number is kept: who is in it, each record says. */
class CommonGroup implements VmGroup {
  readonly #slots: readonly (VmRecord | undefined)[];
  readonly #bit: number;
  size = 0;

  constructor(slots: readonly (VmRecord | undefined)[], bit: number) {
    this.#slots = slots;
    this.#bit = bit;
  }

  has({ groups }: Vm): boolean {
    return (groups & (1 << this.#bit)) !== 0;
  }

  /** The record says already that the VM is in the group. */
  add(_vm: VmRecord): void {
    this.size += 1;
  }

  delete(_vm: VmRecord): void {
    this.size -= 1;
  }

  *[Symbol.iterator](): Generator<Vm> {
    for (const vm of this.#slots) if (vm !== undefined && this.has(vm)) yield vm;
  }
}

/** A bit for each group that the VM is in. @param asked those of which that may have changed */
function groupsOf(vm: Vm, params: Params, asked: readonly number[]): number {
  let { groups } = vm;
  for (const bit of asked) {
    if (PREDICATES[bit]?.(vm, params) === true) groups |= 1 << bit;
    else groups &= ~(1 << bit);
  }
  return groups;
}
