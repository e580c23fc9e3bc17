import type { FleetSnapshot } from '../fleet/mod.ts';
import type { SimulatedDisk } from './disk.ts';
import { type MachineRoom, VM_BYTES } from './machine-room.ts';
import { numberIn } from './request-text.ts';
import type { Scenario } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What the checks look at: the state of the world, from outside of Shoal, and what Shoal believes. */
export interface CheckedWorld {
  readonly time: VirtualTime;
  readonly scenario: Scenario;
  readonly room: MachineRoom;
  readonly disk: SimulatedDisk;
  /** Requests that have not ended. */
  readonly open: number;
  /** The parameter of this name; 0 while Shoal is down. */
  readonly minVmCount: number;
  /** VMs that the host has memory for. */
  readonly vmsWithinMemory: number;
  /** What the router knows; undefined while there is none that answers. */
  snapshot(): Promise<FleetSnapshot | undefined>;
}

/** A promise that was broken. The seed repeats it. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** With more VMs, walking all of them after each write would take longer than all the rest. */
const VMS_CHECKED_MAX = 500;

/** How long peace may take, beyond what the parameters say, to bring everything to rest: back-off, restarts and write retries. */
const SETTLING_MS = 180_000;
/** A guest that has been up for so long was heard more than once. */
const HEARD_MS = 3_000;
const LOOK_MS = 500;
const RESTING_MS = 12_000;
const RESERVE_BYTES = 512 * 1024 * 1024;

/** What must be true at every moment, and what must come true once nothing goes wrong any more. */
export class Checks {
  readonly #world: CheckedWorld;
  #lives = 0;
  /** VMs that began to compute for a request, by its number. */
  readonly #tries = new Map<string, Set<string>>();
  readonly #deliveries = new Map<string, number>();
  /** Spares that nobody has wanted so far. */
  readonly #spares = new Set<number>();

  constructor(world: CheckedWorld) {
    this.#world = world;
  }

  violated(what: string): void {
    const { time } = this.#world;
    time.fail(new InvariantViolation(`${what} (at ${(time.nowMs / 1_000).toFixed(3)} s)`));
  }

  /** Whoever begins anew knows nothing of what was tried before. */
  restarted(): void {
    this.#lives += 1;
  }

  /** R11: a request is tried twice at the most, and once if the image is not idempotent. A new router may begin anew. */
  works(vm: number, payload: Uint8Array): void {
    const number = numberIn(payload);
    const tries = this.#tries.get(number) ?? new Set();
    this.#tries.set(number, tries.add(`${this.#lives} ${vm}`));
    const thisLife = [...tries].filter((one) => one.startsWith(`${this.#lives} `)).length;
    const most = (this.#world.scenario.guest.idempotent ? 2 : 1) * (this.#deliveries.get(number) ?? 1);
    if (thisLife > most) this.violated(`the request ${number} is worked on by ${thisLife} VMs, the last is ${vm}`);
  }

  /** Shoal gets a request: it may be a repeat of one that has ended, which is a new request then. */
  comes(payload: Uint8Array): void {
    const number = numberIn(payload);
    this.#deliveries.set(number, (this.#deliveries.get(number) ?? 0) + 1);
  }

  /** R3: the host keeps its reserve. */
  spawns(vm: number): void {
    const { room, scenario } = this.#world;
    const reserve = scenario.params['host_memory_reserve_bytes'] ?? RESERVE_BYTES;
    const left = room.availableBytes - VM_BYTES;
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

  /** R3: a spare waits until it is wanted. */
  letsRun(vm: number): void {
    if (this.#spares.has(vm)) this.violated(`VM ${vm} is a spare, and it is let run though nobody wants it`);
  }

  /** R6: a guest that works and whose link is up is not ended over silence. */
  endsSilent(vm: number): void {
    const qemu = this.#world.room.qemus.get(vm);
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
    const { room, disk } = this.#world;
    if (room.qemus.size > VMS_CHECKED_MAX) return;
    const holders = new Map(disk.document.ip_pool.map((row) => [`${row.ip}:${row.port}`, row.vm]));
    for (const { spec, isAlive, isCpuRunning } of room.qemus.values()) {
      const place = `${spec.address.ip}:${spec.address.port}`;
      if (isAlive && isCpuRunning && holders.get(place) !== spec.vm) {
        this.violated(`VM ${spec.vm} runs on ${place}, which is ${holders.get(place) ?? 'nobody'}'s in the tables`);
      }
    }
  }

  /** Runs the world in peace until everything is at rest. */
  async liveness(): Promise<void> {
    const { time, scenario } = this.#world;
    const endMs = time.nowMs + scenario.deadlineMs + SETTLING_MS;
    let why = 'nothing was looked at';
    let restingSinceMs: number | undefined;
    let startsThen = 0;
    while (time.nowMs < endMs) {
      await time.run(time.nowMs + LOOK_MS);
      const looking = this.#unrest();
      let isAnswered = false;
      let answer: string | undefined;
      void looking.then((found) => {
        isAnswered = true;
        answer = found;
      });
      await time.run(endMs, () => isAnswered);
      const { started } = this.#world.room;
      if (answer !== undefined || (restingSinceMs !== undefined && started !== startsThen)) {
        why = answer ?? 'VMs are started for nothing';
        restingSinceMs = undefined;
        continue;
      }
      restingSinceMs ??= time.nowMs;
      startsThen = started;
      // Rest that lasts a moment only is none.
      if (time.nowMs - restingSinceMs >= RESTING_MS) return;
    }
    throw new InvariantViolation(`${SETTLING_MS / 1_000} s after the last fault, ${why}`);
  }

  /** @returns what is not at rest; undefined if all is */
  async #unrest(): Promise<string | undefined> {
    const { room, disk, open, scenario } = this.#world;
    if (open > 0) return `${open} requests have not ended`;
    const snapshot = await this.#world.snapshot();
    if (snapshot === undefined) return 'Shoal does not answer';
    const { vms, waiting, addresses, addresses_free } = snapshot;
    if (waiting > 0) return `${waiting} requests wait in the router`;
    const odd = vms.find(({ state }) => state !== 'ready' && state !== 'prepared');
    if (odd !== undefined) return `VM ${odd.id_vmachine} is ${odd.state}`;
    const ready = vms.filter(({ state }) => state === 'ready').length;
    const minimum = this.#world.minVmCount;
    const wanted = Math.min(minimum, scenario.addresses, this.#world.vmsWithinMemory);
    if (ready !== wanted) return `${ready} VMs are ready, and the minimum is ${minimum}`;
    const busy = vms.find(({ in_flight }) => in_flight > 0);
    if (busy !== undefined) return `VM ${busy.id_vmachine} has ${busy.in_flight} requests in hand, and no client waits`;
    for (const { id_vmachine: id } of vms.filter(({ state }) => state === 'ready')) {
      if (room.qemus.get(id)?.guest.isHealthy !== true) return `VM ${id} is ready, and its guest does not answer`;
    }
    const alive = [...room.qemus.values()].filter(({ isAlive }) => isAlive).length;
    if (alive !== vms.length) return `${alive} QEMUs run, and Shoal knows of ${vms.length}`;
    if (room.qemus.size !== alive) return `${room.qemus.size - alive} run directories are left`;
    if (addresses !== scenario.addresses) return `the pool has ${addresses} addresses`;
    if (addresses_free !== addresses - vms.length) return `${addresses_free} addresses are free of ${addresses}`;
    const held = disk.document.ip_pool.filter(({ vm }) => vm !== null).length;
    if (held !== vms.length) return `${held} addresses are held in the tables, by ${vms.length} VMs`;
    // A spare has no row yet: R7 writes it when the VM is ready.
    const rows = disk.document.vmachine.length;
    return rows === ready ? undefined : `the tables have ${rows} VMs, and ${ready} are ready`;
  }
}
