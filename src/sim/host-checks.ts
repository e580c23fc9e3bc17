import { type FleetSnapshot, SPARE_BOOTED } from '../fleet/mod.ts';
import type { MachineSpec } from '../hypervisor/mod.ts';
import type { Hosts } from '../remote/mod.ts';
import type { Checks } from './checks.ts';
import type { SimulatedDisk } from './disk.ts';
import { FIRST_IMAGE } from './images.ts';
import { type MachineRoom, vmBytesOf } from './machine-room.ts';
import type { Scenario } from './scenario.ts';

/** What the checks look at: the state of a host, from outside of Shoal, and what Shoal believes. */
export interface CheckedHost {
  readonly name: string;
  readonly room: MachineRoom;
  readonly disk: SimulatedDisk;
  /** This host among the others; undefined while Shoal is down. */
  readonly life: { readonly hosts: Hosts } | undefined;
  /** The parameter of this name; 0 while Shoal is down. */
  readonly minVmCount: number;
  /** VMs that the host has memory for. */
  readonly vmsWithinMemory: number;
  /** What the router knows; undefined while there is none that answers. */
  snapshot(): Promise<FleetSnapshot | undefined>;
}

/** With more VMs, walking all of them after each write would take longer than all the rest. */
const VMS_CHECKED_MAX = 500;
/** A guest that has been up for so long was heard more than once. */
const HEARD_MS = 3_000;
const RESERVE_BYTES = 512 * 1024 * 1024;

/** What must be true at every moment of one host, and what must come true of it in peace. */
export class HostChecks {
  readonly #host: CheckedHost;
  readonly #scenario: Scenario;
  readonly #checks: Checks;
  /** Spares that nobody has wanted so far. */
  readonly #spares = new Set<number>();

  constructor(host: CheckedHost, scenario: Scenario, checks: Checks) {
    this.#host = host;
    this.#scenario = scenario;
    this.#checks = checks;
  }

  violated(what: string): void {
    this.#checks.violated(this.#scenario.hosts === 1 ? what : `${this.#host.name}: ${what}`);
  }

  /** R3: the host keeps its reserve. R1: what is wanted is durable before a VM is made of it. */
  spawns(spec: Pick<MachineSpec, 'vm' | 'imageDigest' | 'memoryMib'>): void {
    const { vm, imageDigest } = spec;
    const { image = FIRST_IMAGE, deploy } = this.#host.disk.image ?? {};
    const isBegun = deploy !== null && deploy?.phase !== 'checking' && deploy?.phase !== 'refused';
    const wanted = isBegun ? [image, deploy?.image, deploy?.before] : [image];
    if (!wanted.includes(imageDigest)) {
      this.violated(`VM ${vm} is started from the image ${imageDigest}, which is not what is deployed on the disk`);
    }
    const reserve = this.#scenario.params['host_memory_reserve_bytes'] ?? RESERVE_BYTES;
    const left = this.#host.room.availableBytes - vmBytesOf(spec);
    if (left < reserve)
      this.violated(`VM ${vm} is started with ${left} bytes left on its host, and ${reserve} are to stay free`);
  }

  /** R3: a spare is prepared. */
  preparesSpare(vm: number): void {
    this.#spares.add(vm);
  }

  /** A VM is wanted: a new one, or one that was a spare. */
  wants(vm: number): void {
    this.#spares.delete(vm);
  }

  /** Nobody remembers of a guest that runs that it was to be a spare: it serves as any other. */
  adopts(vm: number): void {
    if (this.#host.room.qemus.get(vm)?.isCpuRunning === true) this.wants(vm);
  }

  /** R3: a spare waits until it is wanted; at most it boots. */
  letsRun(vm: number): void {
    if (this.#spares.has(vm) && !this.#bootsSpares)
      this.violated(`VM ${vm} is a spare, and it is let run though nobody wants it`);
  }

  /** R3: a spare has no requests until it is wanted. */
  works(vm: number): void {
    if (this.#spares.has(vm)) this.violated(`VM ${vm} is a spare that nobody wants, and it works on a request`);
  }

  /** R6: a guest that works and whose link is up is not ended over silence. */
  endsSilent(vm: number): void {
    const qemu = this.#host.room.qemus.get(vm);
    if (qemu === undefined || !qemu.guest.isHealthy) return;
    if (qemu.guest.hasPeer) this.violated(`VM ${vm} is ended as silent, and its guest answers`);
    if (qemu.isHeard && qemu.guest.healthyForMs > HEARD_MS) {
      this.violated(`VM ${vm} is ended as silent, and its guest has reported for ${qemu.guest.healthyForMs} ms`);
    }
  }

  /** R6: the host's controller is silent only while all of Shoal stands still. */
  losesHost(): void {
    this.violated('the host is taken for out of reach, and its controller reports');
  }

  /** R3, R8: what runs has its address in the durable tables. */
  afterWrite(): void {
    const { room, disk } = this.#host;
    if (room.qemus.size > VMS_CHECKED_MAX) return;
    const held = disk.document.ip_pool.filter(({ vm }) => vm !== null);
    const holders = new Map(held.map(({ ip, port, vm }) => [`${ip}:${port}`, vm]));
    for (const { spec, isAlive, isCpuRunning } of room.qemus.values()) {
      const place = `${spec.address.ip}:${spec.address.port}`;
      if (isAlive && isCpuRunning && holders.get(place) !== spec.vm) {
        this.violated(`VM ${spec.vm} runs on ${place}, which is ${holders.get(place) ?? 'nobody'}'s in the tables`);
      }
    }
  }

  /** A host that has left in good order, and was not told to keep its VMs, has none. */
  left(keepVms: boolean): void {
    const alive = [...this.#host.room.qemus.values()].find((one) => one.isAlive);
    if (!keepVms && alive !== undefined) this.violated(`VM ${alive.spec.vm} runs, and its host has left`);
  }

  /** @returns what is not at rest; undefined if all is */
  async unrest(): Promise<string | undefined> {
    const what = (await this.#unrestOfFleet()) ?? this.#unrestOfHosts();
    return what === undefined || this.#scenario.hosts === 1 ? what : `${this.#host.name}: ${what}`;
  }

  /** R5: below 0 % no VM is idle. */
  get #endsIdleVms(): boolean {
    return this.#scenario.params['idle_cpu_percent'] !== 0;
  }

  get #bootsSpares(): boolean {
    return this.#scenario.params['spare_state'] === SPARE_BOOTED;
  }

  /** R3: a spare stands still; one that is to boot has done so before. */
  #unrestOfSpare(vm: number): string | undefined {
    const qemu = this.#host.room.qemus.get(vm);
    if (qemu?.isCpuRunning === true) return `VM ${vm} is a spare, and its CPU runs`;
    return this.#bootsSpares && qemu?.guest.isHealthy === false ? `VM ${vm} is a spare, and has not booted` : undefined;
  }

  async #unrestOfFleet(): Promise<string | undefined> {
    const { room, disk } = this.#host;
    const snapshot = await this.#host.snapshot();
    if (snapshot === undefined) return 'Shoal does not answer';
    const { vms, waiting, addresses, addresses_free, neighbours } = snapshot;
    if (waiting > 0) return `${waiting} requests wait in the router`;
    const odd = vms.find(({ state }) => state !== 'ready' && state !== 'prepared');
    if (odd !== undefined) return `VM ${odd.id_vmachine} is ${odd.state}`;
    const ready = vms.filter(({ state }) => state === 'ready').length;
    const minimum = this.#host.minVmCount;
    const wanted = Math.min(minimum, this.#scenario.addresses, this.#host.vmsWithinMemory);
    if (ready < wanted || (ready > wanted && this.#endsIdleVms)) {
      return `${ready} VMs are ready, and the minimum is ${minimum}`;
    }
    const busy = vms.find(({ in_flight }) => in_flight > 0);
    const wrong = this.#unrestOfImages();
    if (wrong !== undefined) return wrong;
    if (busy !== undefined) return `VM ${busy.id_vmachine} has ${busy.in_flight} requests in hand, and no client waits`;
    const holder = neighbours.find(({ inHand }) => inHand > 0);
    if (holder !== undefined) return `${holder.name} has ${holder.inHand} requests of it in hand, and no client waits`;
    for (const { id_vmachine: id } of vms.filter(({ state }) => state === 'ready')) {
      if (room.qemus.get(id)?.guest.isHealthy !== true) return `VM ${id} is ready, and its guest does not answer`;
    }
    for (const { id_vmachine: id, state } of vms) {
      const why = state === 'prepared' ? this.#unrestOfSpare(id) : undefined;
      if (why !== undefined) return why;
    }
    const alive = [...room.qemus.values()].filter(({ isAlive }) => isAlive).length;
    if (alive !== vms.length) return `${alive} QEMUs run, and Shoal knows of ${vms.length}`;
    if (room.qemus.size !== alive) return `${room.qemus.size - alive} run directories are left`;
    if (addresses !== this.#scenario.addresses) return `the pool has ${addresses} addresses`;
    if (addresses_free !== addresses - vms.length) return `${addresses_free} addresses are free of ${addresses}`;
    const held = disk.document.ip_pool.filter(({ vm }) => vm !== null).length;
    if (held !== vms.length) return `${held} addresses are held in the tables, by ${vms.length} VMs`;
    // A spare has no row yet: R7 writes it when the VM is ready.
    const rows = disk.document.vmachine.length;
    return rows === ready ? undefined : `the tables have ${rows} VMs, and ${ready} are ready`;
  }

  /** Each deploy ends, and all VMs are of the image that it left. */
  #unrestOfImages(): string | undefined {
    const { image = FIRST_IMAGE, deploy } = this.#host.disk.image ?? {};
    // A host that has memory for no VM can try no image.
    const isUnderWay = deploy !== null && deploy?.ended_ms === null && this.#host.vmsWithinMemory > 0;
    if (isUnderWay) return `a deploy is under way (${deploy.phase})`;
    const odd = [...this.#host.room.qemus.values()].find((one) => one.isAlive && one.spec.imageDigest !== image);
    return odd && `VM ${odd.spec.vm} is of the image ${odd.spec.imageDigest}, and ${image} is deployed`;
  }

  /** Hosts that have been up for a while see each other. */
  isAmongOthers(): void {
    const why = this.#unrestOfHosts();
    if (why !== undefined) this.violated(`${why}, and all have been up for long`);
  }

  /** In peace each host sees each other one. */
  #unrestOfHosts(): string | undefined {
    const hosts = this.#host.life?.hosts;
    if (hosts === undefined) return 'it is not among the hosts of the fleet';
    if (hosts.ended !== undefined) return hosts.ended.message;
    const others = this.#scenario.hosts - 1;
    const { peers, damaged } = hosts.stats();
    if (damaged > 0) return `${damaged} frames of other hosts made no sense`;
    return peers === others ? undefined : `it sees ${peers} of ${others} other hosts`;
  }
}
