import { LinkedList, type ListNode } from '../../actors/mod.ts';
import { FAULTS_MAX, type Params } from '../values/params.ts';
import type { VmId } from '../values/vm-id.ts';
import { BestOf } from './best-of.ts';
import { hasRoom, isFree, isServing, isSpare, isStarting, type Vm, type VmRecord } from './vm.ts';

/** R2: `pack` fills VMs so that others fall idle and can go, `spread` keeps the load of each low. */
export type Routing = 'pack' | 'spread';

/** What a rule asks for: the VMs of which it is true, kept up to date so that no rule has to search. */
const GROUPS = {
  ready: (vm: Vm) => vm.state === 'ready',
  serving: isServing,
  starting: isStarting,
  spares: isSpare,
  preparing: (vm: Vm) => vm.state === 'preparing',
  booting: (vm: Vm) => vm.state === 'booting',
  /** Without a first status line, a prepared spare excepted: R7's. */
  unreported: (vm: Vm) => vm.report === undefined && vm.state !== 'stopping' && !(vm.spare && vm.state === 'prepared'),
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

const NAMES: readonly Group[] = Object.keys(GROUPS).filter((name): name is Group => name in GROUPS);

/** What the index notes of one VM. */
interface Entry {
  readonly slot: number;
  /** A bit for each group that it is in. */
  groups: number;
  free: boolean;
  roomy: boolean;
  /** Its place among those that have reported. */
  heard: ListNode<VmRecord> | undefined;
  heardMs: number | undefined;
}

/** VMs by what the rules ask for. Nothing here is a fact of its own: all of it follows from the records. */
export class VmIndex {
  readonly #entries = new Map<VmId, Entry>();
  readonly #groups: ReadonlyMap<Group, Set<VmRecord>> = new Map(NAMES.map((name) => [name, new Set<VmRecord>()]));
  readonly #slots: (VmRecord | undefined)[] = [];
  readonly #unused: number[] = [];
  readonly #free: BestOf;
  readonly #roomy: BestOf;
  /** VMs that have reported, in the order in which they were last heard of. */
  readonly #heard = new LinkedList<VmRecord>();

  constructor(routing: Routing) {
    const compareFill = routing === 'pack' ? fullestFirst : emptiestFirst;
    this.#free = new BestOf((a, b) => this.#compare(a, b, compareFill) < 0);
    this.#roomy = new BestOf((a, b) => this.#compare(a, b, leastLoadedFirst) < 0);
  }

  group(name: Group): ReadonlySet<Vm> {
    return this.#groups.get(name) ?? EMPTY;
  }

  /** R2's choice. */
  get freeVm(): Vm | undefined {
    return this.#at(this.#free.best);
  }

  /** R4's choice. */
  get leastLoaded(): Vm | undefined {
    return this.#at(this.#roomy.best);
  }

  /** VMs that have reported, longest unheard first. */
  get heard(): Iterable<Vm> {
    return this.#heard;
  }

  get longestUnheard(): Vm | undefined {
    return this.#heard.first;
  }

  add(vm: VmRecord, params: Params): void {
    const slot = this.#unused.pop() ?? this.#slots.length;
    this.#slots[slot] = vm;
    this.#entries.set(vm.id, {
      slot,
      groups: 0,
      free: false,
      roomy: false,
      heard: undefined,
      heardMs: undefined,
    });
    this.changed(vm, params);
  }

  remove(vm: VmRecord): void {
    const entry = this.#entries.get(vm.id);
    if (entry === undefined) return;
    this.#entries.delete(vm.id);
    this.#regroup(vm, entry, 0);
    this.#free.remove(entry.slot);
    this.#roomy.remove(entry.slot);
    if (entry.heard !== undefined) this.#heard.remove(entry.heard);
    this.#slots[entry.slot] = undefined;
    this.#unused.push(entry.slot);
  }

  /** Brings everything up to date with the record. */
  changed(vm: VmRecord, params: Params): void {
    const entry = this.#entries.get(vm.id);
    if (entry === undefined) return;
    let groups = 0;
    for (let bit = 0; bit < NAMES.length; bit++) {
      const name = NAMES[bit];
      if (name !== undefined && GROUPS[name](vm, params)) groups |= 1 << bit;
    }
    this.#regroup(vm, entry, groups);
    this.#rehear(vm, entry);
    this.loadChanged(vm, params);
  }

  /** The same where no more has changed than requests in flight: the way of every request. */
  loadChanged(vm: VmRecord, params: Params): void {
    const entry = this.#entries.get(vm.id);
    if (entry === undefined) return;
    entry.free = place(this.#free, entry.slot, entry.free, isFree(vm, params));
    entry.roomy = place(this.#roomy, entry.slot, entry.roomy, hasRoom(vm, params));
  }

  #regroup(vm: VmRecord, entry: Entry, groups: number): void {
    const changed = entry.groups ^ groups;
    if (changed === 0) return;
    entry.groups = groups;
    for (let bit = 0; bit < NAMES.length; bit++) {
      const name = NAMES[bit];
      if (name === undefined || (changed & (1 << bit)) === 0) continue;
      const group = this.#groups.get(name);
      if ((groups & (1 << bit)) !== 0) group?.add(vm);
      else group?.delete(vm);
    }
  }

  #rehear(vm: VmRecord, entry: Entry): void {
    if (vm.heardMs === entry.heardMs) return;
    entry.heardMs = vm.heardMs;
    if (entry.heard !== undefined) this.#heard.remove(entry.heard);
    entry.heard = this.#heard.push(vm);
  }

  #compare(a: number, b: number, order: (a: Vm, b: Vm) => number): number {
    const [vm, other] = [this.#slots[a], this.#slots[b]];
    return vm === undefined || other === undefined ? a - b : order(vm, other) || vm.id - other.id;
  }

  #at(slot: number | undefined): Vm | undefined {
    return slot === undefined ? undefined : this.#slots[slot];
  }
}

const EMPTY: ReadonlySet<Vm> = new Set();

function place(best: BestOf, slot: number, was: boolean, is: boolean): boolean {
  if (is && !was) best.add(slot);
  else if (is) best.update(slot);
  else if (was) best.remove(slot);
  return is;
}

function fullestFirst(a: Vm, b: Vm): number {
  return b.inFlight - a.inFlight;
}

function emptiestFirst(a: Vm, b: Vm): number {
  return a.inFlight - b.inFlight;
}

/** R4: fewest in flight, then lowest `cpu`, then `ram`. */
function leastLoadedFirst(a: Vm, b: Vm): number {
  return (
    a.inFlight - b.inFlight ||
    (a.report?.cpuPercent ?? 0) - (b.report?.cpuPercent ?? 0) ||
    (a.report?.ramBytes ?? 0) - (b.report?.ramBytes ?? 0)
  );
}
