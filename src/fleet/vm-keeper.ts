import type { Clock, Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, toEnvelope } from '../errors.ts';
import { formatAddress } from './address.ts';
import type { DrainDecision, FleetDecision, StopDecision } from './decision.ts';
import { EventReporter } from './event-reporter.ts';
import type { Fleet } from './fleet.ts';
import type { FleetEvent } from './fleet-event.ts';
import type { HostCommand, HostEvent } from './host-messages.ts';
import { HostReach } from './host-reach.ts';
import type { Links } from './links.ts';
import { type Reservation, Reservations } from './reservations.ts';
import { step } from './step.ts';
import type { StoreWrites, Write } from './store-writes.ts';
import type { VmId } from './vm.ts';
import type { Vm } from './vm-record.ts';
import type { Work } from './work.ts';

export interface KeeperPorts {
  /** The controllers, by the name of their host. */
  readonly hosts: ReadonlyMap<string, Ref<HostCommand>>;
  /** Never gives the same id twice in the life of a data directory. May throw: then nothing is started for a while. */
  readonly nextVmId: () => VmId;
  readonly onEvent: (event: FleetEvent) => void;
  /** Addresses that the tables say are held, by VMs that their hosts may or may not have yet; nothing is started on them before that is known. */
  readonly held?: readonly Reservation[];
}

/** What concerns the requests on a VM that the keeper decides to end. */
export interface KeeperEvents {
  /** R6: it is being ended because it got stuck over what it worked on. */
  readonly onStuck: (vm: VmId, why: string) => void;
}

/** What a VM must wait for before it may run: its QEMU, and its reservation on disk. */
interface Start {
  prepared: boolean;
  reserved: boolean;
}

/** A stop that no `vm-gone` has answered is sent again: commands are delivered at most once. */
const STOP_AGAIN_MS = 5_000;
/** How long nothing is started after the store gave no id. */
const NO_ID_MS = 1_000;
/** Steps until nothing is left to decide; what one step ends, the next may replace. */
const STEPS_MAX = 8;

/** Carries `step`'s decisions out: commands to controllers, news to whoever looks. */
export class VmKeeper {
  readonly #fleet: Fleet;
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #ledger: StoreWrites;
  readonly #ports: KeeperPorts;
  readonly #work: Work;
  readonly #events: KeeperEvents;
  readonly #desk: EventReporter;
  readonly #reach: HostReach;
  readonly #reservations: Reservations;
  readonly #starts = new Map<VmId, Start>();
  /** When each VM that is to end was last told so. */
  readonly #stops = new Map<VmId, number>();
  readonly #pids = new Map<VmId, number>();
  /** Adopted and not ready yet: they have booted some other time. */
  readonly #adoptedVms = new Set<VmId>();
  /** VMs whose address the tables give to another. */
  readonly #refused = new Set<VmId>();
  #noStartBeforeMs = 0;

  constructor(
    fleet: Fleet,
    links: Links,
    clock: Clock,
    ledger: StoreWrites,
    work: Work,
    ports: KeeperPorts & { readonly events: KeeperEvents },
  ) {
    this.#fleet = fleet;
    this.#links = links;
    this.#clock = clock;
    this.#ledger = ledger;
    this.#ports = ports;
    this.#work = work;
    this.#events = ports.events;
    this.#desk = new EventReporter(clock, ports.onEvent);
    this.#reach = new HostReach(fleet, clock, this.#desk);
    this.#reservations = new Reservations(fleet, ledger, this.#desk, ports.held ?? []);
  }

  /** Decides and carries out until there is nothing left to decide, and repeats what was not heard. */
  step(): void {
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const decisions = step(this.#fleet, this.#clock.monotonic(), this.#work);
      let done = 0;
      for (const decision of decisions) if (this.#carryOut(decision)) done += 1;
      if (done === 0) break;
    }
    this.#stopAgain();
  }

  written(vm: VmId, write: Write): void {
    this.#ledger.done(vm);
    if (write === 'release') return this.#reservations.released(vm);
    const start = this.#starts.get(vm);
    if (write !== 'reserve' || start === undefined) return;
    start.reserved = true;
    this.#startIfReady(vm, start);
  }

  /** Nothing is acted on that was not durable. */
  writeFailed(vm: VmId, write: Write, error: unknown): void {
    const envelope = toEnvelope(error);
    const about = { id: vm, host: this.#fleet.vm(vm)?.host ?? this.#reservations.hostOf(vm) ?? '' };
    this.#desk.ofVm('write-failed', about, `the ${write} of VM ${vm} could not be written`, undefined, envelope);
    if (this.#isGivenUp(vm, write, envelope)) this.#ledger.done(vm);
    else this.#ledger.retryLater(vm);
  }

  /** A VM that does not run yet is ended rather than waited for, if its host can be told so. What the tables contradict stays so. */
  #isGivenUp(vm: VmId, write: Write, error: ErrorEnvelope): boolean {
    if (write === 'release') return false;
    if (this.#fleet.vm(vm) === undefined) return true;
    if (write === 'insert' || !this.#starts.has(vm)) return error.code === 'STORE_CONFLICT';
    const why = 'its reservation could not be written';
    if (error.code === 'STORE_CONFLICT') this.#refused.add(vm);
    return this.stop({ rule: 'R3', vm, why, verdict: 'failed', figures: { code: error.code } }, error);
  }

  hostEvent(event: Exclude<HostEvent, { kind: 'vm-gone' }>): void {
    if (event.kind === 'host-down') return this.#reach.lost(event.host, event.why);
    this.#reach.heard(event);
    switch (event.kind) {
      case 'vm-prepared':
        return this.#prepared(event.vm, event.pid);
      case 'vm-booting':
        return;
      case 'host-up':
        if (event.vms !== undefined) this.#reservations.tookStock(event.host, event.vms);
        return;
      case 'vm-answering':
        return this.#answering(event);
      case 'vm-report':
        return this.#report(event);
      case 'vm-adopted':
        return this.#adopted(event);
      case 'host-stats':
        return this.#reach.measured(event);
    }
  }

  linked(id: VmId): void {
    const before = this.#fleet.vm(id)?.state;
    const nowMs = this.#clock.monotonic();
    if (!this.#fleet.apply({ kind: 'vm-linked', vm: id, linked: true, nowMs })) return;
    const vm = this.#fleet.vm(id);
    if (vm === undefined || vm.state !== 'ready' || before === 'ready') return;
    const text = `VM ${id} is ready at ${formatAddress(vm.address)}`;
    if (this.#adoptedVms.delete(id)) return this.#desk.ofVm('vm-ready', vm, text);
    const figures = {
      boot_ms: Math.round(nowMs - (vm.bootMs ?? vm.startedMs)),
      since_decision_ms: Math.round(nowMs - vm.startedMs),
    };
    this.#desk.ofVm('vm-ready', vm, `${text} after ${figures.since_decision_ms} ms`, { figures });
  }

  linkLost(id: VmId, why: string): void {
    const vm = this.#fleet.vm(id);
    const nowMs = this.#clock.monotonic();
    if (vm === undefined || !this.#fleet.apply({ kind: 'vm-linked', vm: id, linked: false, nowMs })) return;
    if (vm.state !== 'stopping') this.#desk.ofVm('link-lost', vm, `the link to VM ${id} is lost: ${why}`);
  }

  gone(event: Extract<HostEvent, { kind: 'vm-gone' }>): void {
    const vm = this.#fleet.vm(event.vm);
    if (vm === undefined) return this.#reservations.absentGone(event.vm);
    this.#links.close(vm.id);
    this.#starts.delete(vm.id);
    this.#stops.delete(vm.id);
    this.#pids.delete(vm.id);
    this.#adoptedVms.delete(vm.id);
    const wanted = vm.state === 'stopping' || vm.state === 'draining';
    // Neither will be better at once, and other addresses may do.
    const bindFailed = event.error?.code === 'PORT_TAKEN' || this.#refused.delete(vm.id);
    this.#fleet.apply({ kind: 'vm-gone', vm: vm.id, bindFailed, nowMs: this.#clock.monotonic() });
    const found = event.end.verdict === undefined ? '' : ` (${event.end.verdict})`;
    const why = wanted ? (vm.why ?? event.end.why) : event.end.why;
    this.#desk.ofVm('vm-gone', vm, `VM ${vm.id} is gone: ${why}${found}`, undefined, event.error);
    this.#reservations.release(vm);
  }

  drain(decision: Omit<DrainDecision, 'kind'>): boolean {
    const { vm: id, why, ejected } = decision;
    const vm = this.#fleet.vm(id);
    if (vm === undefined || !this.#fleet.apply({ kind: 'vm-draining', vm: id, why, ejected })) return false;
    this.#desk.ofVm('vm-drain', vm, `VM ${id} is drained: ${why}`, decision);
    return true;
  }

  stop(decision: Omit<StopDecision, 'kind'>, error?: ErrorEnvelope): boolean {
    const { vm: id, why, verdict } = decision;
    const vm = this.#fleet.vm(id);
    const failed = verdict !== undefined;
    if (vm === undefined || !this.#fleet.apply({ kind: 'vm-stopping', vm: id, why, failed })) return false;
    this.#desk.ofVm('vm-stop', vm, `VM ${id} is told to stop: ${why}`, decision, error);
    this.#sendStop(vm);
    if (verdict === 'stuck') this.#events.onStuck(id, why);
    return true;
  }

  /** @returns whether anything came of it */
  #carryOut(decision: FleetDecision): boolean {
    switch (decision.kind) {
      case 'start':
        return decision.spare === undefined ? this.#start(decision, false) : this.#useSpare(decision, decision.spare);
      case 'prepare':
        return this.#start(decision, true);
      case 'drain':
        return this.drain(decision);
      case 'stop':
        return this.stop(decision);
      case 'host-down':
        this.#reach.lost(decision.host, `silent for ${decision.figures['silent_ms']} ms`);
        return true;
    }
  }

  #start(decision: Extract<FleetDecision, { kind: 'start' | 'prepare' }>, spare: boolean): boolean {
    const { host, address } = decision;
    const nowMs = this.#clock.monotonic();
    const vm = this.#newId(host, nowMs);
    if (vm === undefined) return false;
    const replaces = decision.kind === 'start' ? decision.replaces : undefined;
    const reserved = { kind: 'vm-reserved', vm, host, address, spare, nowMs } as const;
    if (!this.#fleet.apply(replaces === undefined ? reserved : { ...reserved, replaces })) return false;
    this.#starts.set(vm, { prepared: false, reserved: false });
    const purpose = spare ? 'is prepared as a spare' : 'is started';
    this.#desk.ofVm('vm-start', { id: vm, host }, `VM ${vm} ${purpose} at ${formatAddress(address)}`, decision);
    // QEMU starts while the reservation goes to disk; the CPU is let run only when both are done.
    this.#command(host, { kind: 'prepare', vm, address });
    this.#ledger.reserve(vm, address);
    return true;
  }

  #newId(host: string, nowMs: number): VmId | undefined {
    if (nowMs < this.#noStartBeforeMs) return undefined;
    try {
      return this.#ports.nextVmId();
    } catch (error) {
      this.#noStartBeforeMs = nowMs + NO_ID_MS;
      this.#desk.ofHost('write-failed', host, 'no VM is started, for there is no id', undefined, toEnvelope(error));
      return undefined;
    }
  }

  #useSpare(decision: Extract<FleetDecision, { kind: 'start' }>, id: VmId): boolean {
    if (!this.#fleet.apply({ kind: 'vm-wanted', vm: id, nowMs: this.#clock.monotonic() })) return false;
    const text = `VM ${id}, a spare, is started at ${formatAddress(decision.address)}`;
    this.#desk.ofVm('vm-start', { id, host: decision.host }, text, decision);
    const start = this.#starts.get(id);
    if (start !== undefined) this.#startIfReady(id, start);
    return true;
  }

  #prepared(id: VmId, pid: number): void {
    const vm = this.#fleet.vm(id);
    const start = this.#starts.get(id);
    if (vm === undefined || start === undefined || start.prepared) return;
    start.prepared = true;
    this.#pids.set(id, pid);
    this.#fleet.apply({ kind: 'vm-prepared', vm: id });
    this.#desk.ofVm('vm-prepared', vm, `VM ${id} is prepared (QEMU pid ${pid})`);
    this.#startIfReady(id, start);
  }

  #startIfReady(id: VmId, start: Start): void {
    const vm = this.#fleet.vm(id);
    if (vm === undefined || vm.spare || !start.prepared || !start.reserved) return;
    if (!this.#fleet.apply({ kind: 'vm-booting', vm: id, nowMs: this.#clock.monotonic() })) return;
    this.#starts.delete(id);
    this.#desk.ofVm('vm-booting', vm, `VM ${id} boots`);
    this.#command(vm.host, { kind: 'start', vm: id });
  }

  #answering(event: Extract<HostEvent, { kind: 'vm-answering' }>): void {
    this.#fleet.apply({ kind: 'vm-answering', vm: event.vm, guest: event.guest });
    const vm = this.#fleet.vm(event.vm);
    if (vm !== undefined && LINKED_STATES.has(vm.state)) this.#links.open({ vm: vm.id, address: vm.address });
  }

  #report({ vm: id, report, atMs }: Extract<HostEvent, { kind: 'vm-report' }>): void {
    const vm = this.#fleet.vm(id);
    const isFirst = vm?.report === undefined;
    const nowMs = this.#clock.monotonic();
    if (!this.#fleet.apply({ kind: 'vm-report', vm: id, report, nowMs }) || vm === undefined) return;
    const touch = { state: vm.state, report, freeCount: vm.freeCount, lastConnectMs: atMs };
    if (!isFirst) return this.#ledger.touch(id, touch);
    const startedMs = Math.round(this.#clock.now() - (nowMs - vm.startedMs));
    const { address, host } = vm;
    this.#ledger.insert({ vm: id, address, host, pid: this.#pids.get(id), startedMs, ...touch });
  }

  #adopted(event: Extract<HostEvent, { kind: 'vm-adopted' }>): void {
    const { vm: id, host, address } = event;
    if (this.#fleet.vm(id) !== undefined) return;
    const nowMs = this.#clock.monotonic();
    const adopted = {
      kind: 'vm-reserved',
      vm: id,
      host,
      address,
      spare: event.state === 'prepared',
      nowMs,
      // How long it has run is known in time of day only; both clocks run at the same speed.
      startedMs: nowMs - Math.max(0, this.#clock.now() - event.startedMs),
      state: event.state === 'answering' ? 'booting' : event.state,
    } as const;
    const { statusIntervalMs } = event;
    const vm = { id, host };
    if (!this.#fleet.apply(statusIntervalMs === undefined ? adopted : { ...adopted, statusIntervalMs })) {
      const holder = this.#fleet.holder(address);
      const text = `VM ${id} was found at ${formatAddress(address)}, which VM ${holder} holds: it is ended`;
      this.#desk.ofVm('unidentified', vm, text, { rule: 'R8', figures: { id_ip: address.id, held_by: holder ?? '' } });
      return this.#command(host, { kind: 'stop', vm: id, why: `its address is held by VM ${holder}` });
    }
    this.#reservations.seen(id);
    this.#pids.set(id, event.pid);
    if (event.state === 'answering') this.#adoptedVms.add(id);
    if (event.state === 'prepared') this.#starts.set(id, { prepared: true, reserved: false });
    if (event.state === 'stopping') this.#stops.set(id, nowMs);
    this.#desk.ofVm('vm-adopted', vm, `VM ${id} is adopted at ${formatAddress(address)}`);
    // Whoever crashed may have done so before it was durable.
    this.#ledger.reserve(id, address);
  }

  #sendStop(vm: Vm): void {
    this.#stops.set(vm.id, this.#clock.monotonic());
    this.#command(vm.host, { kind: 'stop', vm: vm.id, why: vm.why ?? 'it is to stop' });
  }

  #stopAgain(): void {
    const nowMs = this.#clock.monotonic();
    for (const [id, sentMs] of this.#stops) {
      const vm = this.#fleet.vm(id);
      if (vm?.state === 'stopping' && nowMs - sentMs >= STOP_AGAIN_MS) this.#sendStop(vm);
    }
  }

  #command(host: string, command: HostCommand): void {
    this.#ports.hosts.get(host)?.tell(command);
  }
}

const LINKED_STATES: ReadonlySet<Vm['state']> = new Set<Vm['state']>(['booting', 'ready', 'draining']);
