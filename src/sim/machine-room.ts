import type { Params } from '../fleet/mod.ts';
import { type Machine, type MachineExit, type MachineSpec, type Manifest, MEMORY_MIB } from '../hypervisor/mod.ts';
import { type GuestBehaviour, SimulatedGuest } from './guest.ts';
import type { Chance } from './random.ts';
import type { RelayWatch } from './relay-checks.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What never may be, seen from where the processes are. */
export type Violation = (what: string) => void;

export interface MachineRoomOptions {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly memoryBytes: number;
  readonly behaviour: GuestBehaviour;
  readonly msPerUnit?: number;
  readonly violation: Violation;
  readonly note: (what: string) => void;
  /** A guest begins to compute for a request. */
  readonly onWork: (vm: number, payload: Uint8Array) => void;
  /** A QEMU is about to be started. */
  readonly onSpawn: (spec: MachineSpec) => void;
  /** Told of relayed commands (R10). */
  readonly relays?: RelayWatch;
  /** Told of what happens to QEMU processes. */
  readonly record: (kind: string, vm: number, what?: string) => void;
}

/** What a QEMU takes besides the memory of its guest. */
const QEMU_BYTES = 16 * 1024 * 1024;
const MIB = 1024 * 1024;
/** What a VM takes: the memory of its guest, and QEMU's own. */
export function vmBytesOf({ memoryMib }: Pick<MachineSpec, 'memoryMib'>): number {
  return QEMU_BYTES + memoryMib * MIB;
}

/** What says how much VMs take. */
interface MemoryOfVms {
  readonly settings: { readonly params: Pick<Params, 'hostMemoryReserveBytes'> };
  readonly deploys: Pick<MachineSpec, 'memoryMib'>;
}

/** How many VMs of now a host with so much memory has room for, beside its reserve. */
export function vmsWithin(memoryBytes: number, { settings, deploys }: MemoryOfVms): number {
  const forVms = memoryBytes - settings.params.hostMemoryReserveBytes;
  return Math.max(0, Math.floor(forVms / vmBytesOf(deploys)));
}

/** Of a VM whose memory no parameter says. */
export const VM_BYTES = vmBytesOf({ memoryMib: MEMORY_MIB });
/** Of the commands that guests were given to relay, so many are known to hostile ones. */
const RELAYED_MAX = 50;
/** What QEMU exits with after `quit`, and what an ended process leaves. */
const QUIT: MachineExit = { exitCode: 0, signal: null, stderr: '' };

/** The QEMU processes of one host. They outlive the Shoal that started them. */
export class MachineRoom {
  behaviour: GuestBehaviour;
  readonly #options: MachineRoomOptions;
  readonly #qemus = new Map<number, Qemu>();
  readonly #byPlace = new Map<string, Qemu>();
  /** The last commands that guests were given to relay; the host's guests know each other's. */
  readonly #relayed: string[] = [];
  #pids = 1_000;
  /** Kept, not counted anew: there may be 100 000 VMs. */
  #takenBytes = 0;
  started = 0;
  /** Shoal is ending, and its VMs with it: they need not finish their work. */
  isClosing = false;
  vmMs = 0;

  constructor(options: MachineRoomOptions) {
    this.#options = options;
    this.behaviour = options.behaviour;
  }

  get qemus(): ReadonlyMap<number, Qemu> {
    return this.#qemus;
  }

  /** Told of relayed commands, where somebody is. */
  get relays(): RelayWatch | undefined {
    return this.#options.relays;
  }

  get running(): number {
    return this.#byPlace.size;
  }

  get availableBytes(): number {
    return Math.max(0, this.#options.memoryBytes - this.#takenBytes);
  }

  /** The guest that listens at an address. */
  listenerAt(place: string): SimulatedGuest | undefined {
    const guest = this.#byPlace.get(place)?.guest;
    return guest?.isListening === true ? guest : undefined;
  }

  /** A QEMU with its CPU paused; or what keeps it from being started: its id is taken, or its address. */
  spawn(spec: MachineSpec): Qemu | 'MANIFEST_INVALID' | 'PORT_TAKEN' {
    const { violation, time, record } = this.#options;
    const known = this.#qemus.get(spec.vm);
    if (known?.isAlive === true) violation(`VM ${spec.vm} is started twice`);
    if (known !== undefined) return 'MANIFEST_INVALID';
    const place = placeOf(spec);
    if (this.#byPlace.has(place)) {
      this.#options.note('an address is taken by another process');
      return 'PORT_TAKEN';
    }
    this.#options.onSpawn(spec);
    this.started += 1;
    const qemu = new Qemu(spec, { pid: this.#pids++, startTicks: time.nowMs, bootId: 'simulated' }, time.nowMs, {
      ...this.#options,
      behaviour: this.behaviour,
      isClosing: () => this.isClosing,
      relayed: this.#relayed,
      others: () => [...this.#qemus.values()].filter(({ isAlive }) => isAlive).map(({ guest }) => guest),
      ended: () => {
        this.#byPlace.delete(place);
        this.#takenBytes -= vmBytesOf(spec);
        this.vmMs += time.nowMs - qemu.startedMs;
        record('qemu-ended', spec.vm);
      },
    });
    this.#qemus.set(spec.vm, qemu);
    this.#byPlace.set(place, qemu);
    this.#takenBytes += vmBytesOf(spec);
    record('qemu-started', spec.vm, place);
    return qemu;
  }

  /** Removes what is left of an ended one. */
  remove(vm: number): void {
    const qemu = this.#qemus.get(vm);
    if (qemu?.isAlive === true) this.#options.violation(`the run directory of VM ${vm} is removed while it runs`);
    this.#qemus.delete(vm);
  }

  /** Ends all, and leaves no trace of them: the run directories were in memory. */
  losePower(): void {
    for (const qemu of this.#qemus.values()) qemu.end({ exitCode: null, signal: 'SIGKILL', stderr: '' });
    this.#qemus.clear();
  }

  byPid(pid: number): Qemu | undefined {
    for (const qemu of this.#qemus.values()) if (qemu.process.pid === pid) return qemu;
    return undefined;
  }

  /** All VMs' time up to now, in milliseconds. */
  vmMsUntilNow(): number {
    let sum = this.vmMs;
    for (const qemu of this.#qemus.values()) if (qemu.isAlive) sum += this.#options.time.nowMs - qemu.startedMs;
    return sum;
  }
}

interface QemuOptions extends MachineRoomOptions {
  readonly isClosing: () => boolean;
  readonly relayed: string[];
  readonly others: () => readonly SimulatedGuest[];
  readonly ended: () => void;
}

/** One QEMU process with its guest. */
export class Qemu {
  readonly spec: MachineSpec;
  readonly process: Machine['process'];
  readonly guest: SimulatedGuest;
  readonly startedMs: number;
  manifest: Manifest;
  isCpuRunning = false;
  /** What the guest prints is lost. */
  #isConsoleCut = false;
  #wasConsoleCut = false;
  exit: MachineExit | undefined;
  /** A part of the machine's owner, replaced when somebody else drives it. */
  onConsole: (line: string) => void = () => undefined;
  onExit: (exit: MachineExit) => void = () => undefined;
  /** What the guest has printed until its ready line was noted: the part of the console's file that is read from its start. */
  #printed: string[] = [];
  readonly #options: QemuOptions;

  constructor(spec: MachineSpec, process: Machine['process'], startedMs: number, options: QemuOptions) {
    this.spec = spec;
    this.process = process;
    this.startedMs = startedMs;
    this.#options = options;
    this.manifest = {
      version: 1,
      spec,
      uuid: `simulated-${process.pid}`,
      argvDigest: '',
      bootId: process.bootId,
      preparedMs: startedMs,
      process,
    };
    this.guest = new SimulatedGuest({
      ...options,
      spec,
      onWork: (payload) => options.onWork(spec.vm, payload),
      oldRelays: options.relayed,
      onRelay: (line) => {
        options.relays?.received(spec.vm, line);
        options.relayed.push(line);
        if (options.relayed.length > RELAYED_MAX) options.relayed.shift();
      },
      stopped: (requests) => {
        options.relays?.acted('stop', spec.vm);
        if (requests > 0 && !options.isClosing())
          options.violation(`VM ${spec.vm} is told to stop with ${requests} requests in work`);
      },
      print: (line) => {
        if (this.#isConsoleCut) return;
        if (this.manifest.guest === undefined) this.#printed.push(line);
        this.onConsole(line);
      },
      powerOff: (exitCode) => this.end({ exitCode, signal: null, stderr: '' }),
    });
  }

  /** What somebody who drives it from now on finds in the console's file; nothing once its guest is known. */
  get printed(): readonly string[] {
    return this.#printed;
  }

  remember(guest: NonNullable<Manifest['guest']>): void {
    this.manifest = { ...this.manifest, guest };
    this.#printed = [];
  }

  /** All that its guest has printed was heard, by whoever listened. */
  get isHeard(): boolean {
    return !this.#wasConsoleCut;
  }

  cutConsole(): void {
    this.#isConsoleCut = true;
    this.#wasConsoleCut = true;
  }

  mendConsole(): void {
    this.#isConsoleCut = false;
  }

  get isAlive(): boolean {
    return this.exit === undefined;
  }

  continue(): void {
    if (!this.isAlive || this.isCpuRunning) return;
    this.isCpuRunning = true;
    this.#options.relays?.acted('start', this.spec.vm);
    this.guest.run();
  }

  /** Its guest stands still. */
  pause(): void {
    this.isCpuRunning = false;
    this.guest.pause();
  }

  quit(): void {
    this.end(QUIT);
  }

  end(exit: MachineExit): void {
    if (!this.isAlive) return;
    this.exit = exit;
    this.guest.end();
    this.#options.ended();
    this.onExit(exit);
  }
}

export function placeOf({ address }: Pick<MachineSpec, 'address'>): string {
  return `${address.ip}:${address.port}`;
}
