import type { Clock, Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, toEnvelope } from '../errors.ts';
import { type Address, formatAddress } from './address.ts';
import type { FleetDecision } from './decision.ts';
import type { Fleet, Vm } from './fleet.ts';
import type { HostCommand, HostEvent } from './host-messages.ts';
import type { Links } from './links.ts';
import type { News } from './news.ts';
import { step } from './step.ts';
import type { VmId } from './vm.ts';

export interface KeeperPorts {
  /** The controllers, by the name of their host. */
  readonly hosts: ReadonlyMap<string, Ref<HostCommand>>;
  /** Never gives the same id twice in the life of a data directory. */
  readonly nextVmId: () => VmId;
  readonly news: (news: News) => void;
  /** Makes a reservation durable, then tells of it by `reserved` or `reserve-failed`. */
  readonly reserve: (vm: VmId, address: Address) => void;
}

/** What a VM must wait for before it may run: its QEMU, and its reservation on disk. */
interface Start {
  prepared: boolean;
  reserved: boolean;
}

/** Carries `step`'s decisions out: commands to controllers, news to whoever looks. */
export class VmKeeper {
  readonly #fleet: Fleet;
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #ports: KeeperPorts;
  readonly #starts = new Map<VmId, Start>();

  constructor(fleet: Fleet, links: Links, clock: Clock, ports: KeeperPorts) {
    this.#fleet = fleet;
    this.#links = links;
    this.#clock = clock;
    this.#ports = ports;
  }

  step(): void {
    for (const decision of step(this.#fleet, this.#clock.monotonic())) this.#carryOut(decision);
  }

  reserved(vm: VmId): void {
    const start = this.#starts.get(vm);
    if (start === undefined) return;
    start.reserved = true;
    this.#startIfReady(vm, start);
  }

  /** Nothing is acted on that was not durable. */
  reserveFailed(vm: VmId, error: unknown): void {
    this.stop(vm, 'its reservation could not be written', toEnvelope(error));
  }

  hostEvent(event: Exclude<HostEvent, { kind: 'vm-gone' }>): void {
    switch (event.kind) {
      case 'vm-prepared':
        return this.#prepared(event.vm, event.pid);
      case 'vm-booting':
        return;
      case 'vm-answering':
        return this.#answering(event);
      case 'vm-report':
        this.#fleet.apply({ kind: 'vm-report', vm: event.vm, report: event.report, nowMs: this.#clock.monotonic() });
        return;
      case 'vm-adopted':
        return this.#adopted(event);
    }
  }

  linked(id: VmId): void {
    const before = this.#fleet.vm(id)?.state;
    const nowMs = this.#clock.monotonic();
    if (!this.#fleet.apply({ kind: 'vm-linked', vm: id, linked: true, nowMs })) return;
    const vm = this.#fleet.vm(id);
    if (vm === undefined || vm.state !== 'ready' || before === 'ready') return;
    this.#tell(
      vm,
      'vm-ready',
      `VM ${id} is ready at ${formatAddress(vm.address)} after ${Math.round(nowMs - vm.startedMs)} ms`,
    );
  }

  gone(event: Extract<HostEvent, { kind: 'vm-gone' }>): void {
    const vm = this.#fleet.vm(event.vm);
    if (vm === undefined) return;
    this.#links.close(event.vm);
    this.#starts.delete(event.vm);
    const wanted = vm.state === 'stopping' || vm.state === 'draining';
    const bindFailed = event.error?.code === 'PORT_TAKEN';
    this.#fleet.apply({ kind: 'vm-gone', vm: event.vm, bindFailed, wanted, nowMs: this.#clock.monotonic() });
    const why = wanted ? (vm.why ?? event.end.why) : event.end.why;
    this.#tell(vm, 'vm-gone', `VM ${vm.id} is gone: ${why}`, event.error);
  }

  stop(id: VmId, why: string, error?: ErrorEnvelope): void {
    const vm = this.#fleet.vm(id);
    if (vm === undefined || vm.state === 'stopping') return;
    this.#fleet.apply({ kind: 'vm-state', vm: id, state: 'stopping', why });
    this.#tell(vm, 'vm-stop', `VM ${id} is told to stop: ${why}`, error);
    this.#command(vm.host, { kind: 'stop', vm: id, why });
  }

  #carryOut(decision: FleetDecision): void {
    switch (decision.kind) {
      case 'start':
        return decision.spare === undefined ? this.#start(decision, false) : this.#useSpare(decision, decision.spare);
      case 'prepare':
        return this.#start(decision, true);
      case 'drain':
        this.#fleet.apply({ kind: 'vm-state', vm: decision.vm, state: 'draining', why: decision.why });
        this.#decided('vm-drain', decision, decision.vm, `VM ${decision.vm} is drained: ${decision.why}`);
        return this.step();
      case 'stop':
        return this.stop(decision.vm, decision.why);
    }
  }

  #start(decision: Extract<FleetDecision, { kind: 'start' | 'prepare' }>, spare: boolean): void {
    const { host, address } = decision;
    const vm = this.#ports.nextVmId();
    const nowMs = this.#clock.monotonic();
    this.#fleet.apply({ kind: 'vm-reserved', vm, host, address, spare, nowMs });
    this.#starts.set(vm, { prepared: false, reserved: false });
    const purpose = spare ? 'is prepared as a spare' : 'is started';
    this.#decided('vm-start', decision, vm, `VM ${vm} ${purpose} at ${formatAddress(address)}`);
    // QEMU starts while the reservation goes to disk; the CPU is let run only when both are done.
    this.#command(host, { kind: 'prepare', vm, address });
    this.#ports.reserve(vm, address);
  }

  #useSpare(decision: Extract<FleetDecision, { kind: 'start' }>, vm: VmId): void {
    this.#fleet.apply({ kind: 'vm-wanted', vm, nowMs: this.#clock.monotonic() });
    this.#decided('vm-start', decision, vm, `VM ${vm}, a spare, is started at ${formatAddress(decision.address)}`);
    const start = this.#starts.get(vm);
    if (start !== undefined) this.#startIfReady(vm, start);
  }

  #prepared(id: VmId, pid: number): void {
    const vm = this.#fleet.vm(id);
    const start = this.#starts.get(id);
    if (vm === undefined || start === undefined) return;
    start.prepared = true;
    if (vm.state === 'preparing') this.#fleet.apply({ kind: 'vm-state', vm: id, state: 'prepared' });
    this.#tell(vm, 'vm-prepared', `VM ${id} is prepared (QEMU pid ${pid})`);
    this.#startIfReady(id, start);
  }

  #startIfReady(id: VmId, start: Start): void {
    const vm = this.#fleet.vm(id);
    if (vm === undefined || vm.spare || vm.state !== 'prepared' || !start.prepared || !start.reserved) return;
    this.#starts.delete(id);
    this.#fleet.apply({ kind: 'vm-state', vm: id, state: 'booting' });
    this.#tell(vm, 'vm-booting', `VM ${id} boots`);
    this.#command(vm.host, { kind: 'start', vm: id });
  }

  #answering(event: Extract<HostEvent, { kind: 'vm-answering' }>): void {
    this.#fleet.apply({ kind: 'vm-answering', vm: event.vm, guest: event.guest });
    const vm = this.#fleet.vm(event.vm);
    if (vm === undefined || vm.state === 'stopping') return;
    this.#links.open({ vm: vm.id, address: vm.address });
  }

  #adopted(event: Extract<HostEvent, { kind: 'vm-adopted' }>): void {
    const { vm, host, address } = event;
    const nowMs = this.#clock.monotonic();
    // How long it has run is known in time of day only; both clocks run at the same speed.
    const startedMs = nowMs - (this.#clock.now() - event.startedMs);
    if (
      !this.#fleet.apply({
        kind: 'vm-reserved',
        vm,
        host,
        address,
        spare: event.state === 'prepared',
        nowMs: startedMs,
      })
    )
      return;
    const state = event.state === 'answering' ? 'booting' : event.state;
    this.#fleet.apply({ kind: 'vm-state', vm, state });
    if (event.state === 'prepared') this.#starts.set(vm, { prepared: true, reserved: true });
    const known = this.#fleet.vm(vm);
    if (known !== undefined) this.#tell(known, 'vm-adopted', `VM ${vm} is adopted at ${formatAddress(address)}`);
  }

  #command(host: string, command: HostCommand): void {
    this.#ports.hosts.get(host)?.tell(command);
  }

  #decided(kind: News['kind'], decision: FleetDecision, vm: VmId, text: string): void {
    const { rule, figures } = decision;
    this.#ports.news({ atMs: this.#clock.now(), kind, vm, rule, figures, text: `${text} (${rule})` });
  }

  #tell(vm: Vm, kind: News['kind'], text: string, error?: ErrorEnvelope): void {
    const news = { atMs: this.#clock.now(), kind, vm: vm.id, host: vm.host, text };
    this.#ports.news(error === undefined ? news : { ...news, text: `${text}: ${error.message}`, error });
  }
}
