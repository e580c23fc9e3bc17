import { ShoalError } from '../errors.ts';
import {
  checkAllowed,
  type Found,
  type Hypervisor,
  type Machine,
  type MachineExit,
  type MachineSpec,
  type Manifest,
  profileOf,
} from '../hypervisor/mod.ts';
import { type Duration, draw } from './duration.ts';
import { IMAGE_PATH, isDigest } from './images.ts';
import { type MachineRoom, placeOf, type Qemu } from './machine-room.ts';
import type { SimulatedProcess } from './process.ts';
import type { Chance } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';
import { Wire } from './wire.ts';

/** How long a host takes for what Shoal asks of it, and how often it fails. */
export interface HostBehaviour {
  /** From the spawn to QEMU's greeting on its monitor. */
  readonly qemuStart: Duration;
  /** One command on the monitor, one write of a manifest. */
  readonly monitor: Duration;
  /** From a guest's line to Shoal's having it. */
  readonly console: Duration;
  /** One way between Shoal and a guest. */
  readonly link: Duration;
  /** Of the starts of QEMU, the part that fails at once. */
  readonly failedStarts: number;
}

export interface SimulatedHypervisorOptions {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly process: SimulatedProcess;
  readonly room: MachineRoom;
  readonly behaviour: () => HostBehaviour;
}

const encoder = new TextEncoder();
/** How long the kernel takes to end a process. */
const KILL_MS = 1;
/** What the line of a relayed command begins with. */
const RELAY = 'shoal1 relay ';

/** The port of one life of Shoal, whose launcher can be killed. */
export interface SimulatedHypervisor extends Hypervisor {
  /** The launcher process ends during the next spawn, which is not answered. The spawn after it has another. */
  loseLauncher(): void;
}

/** The raw machine as one life of Shoal sees it: the port that production implements with QEMU. */
export function simulatedHypervisor(options: SimulatedHypervisorOptions): SimulatedHypervisor {
  const { time, chance, process, room, behaviour } = options;
  const afterMs = (duration: Duration): Promise<void> =>
    new Promise((resolve) => process.later(draw(duration, chance), resolve));
  const soon = (): Promise<void> => afterMs(behaviour().monitor);
  let isLauncherDying = false;
  return {
    loseLauncher: () => {
      isLauncherDying = true;
    },
    async prepare(spec) {
      const { qemuStart, failedStarts } = behaviour();
      if (chance.happens(failedStarts)) {
        await afterMs(qemuStart);
        throw new ShoalError('QEMU_EXITED', `QEMU ended at once (simulated), VM ${spec.vm}`);
      }
      checkAllowed(spec.accelerator, profileOf(spec), spec.image);
      checkImageFile(spec);
      // The process is there from the spawn on, whether or not this Shoal lives to see its greeting.
      const qemu = room.spawn(spec);
      if (typeof qemu === 'string') {
        await soon();
        throw new ShoalError(qemu, `VM ${spec.vm} or its address ${placeOf(spec)} is there already (simulated)`);
      }
      if (isLauncherDying) {
        isLauncherDying = false;
        await soon();
        // Nobody has heard that the QEMU runs.
        throw new ShoalError('LAUNCHER_FAILED', `The launcher ended during the spawn of VM ${spec.vm} (simulated)`);
      }
      await afterMs(qemuStart);
      return driven(qemu, options);
    },
    async adopt(manifest) {
      await soon();
      const qemu = room.qemus.get(manifest.spec.vm);
      if (qemu?.isAlive !== true || !isOf(qemu, manifest))
        throw new ShoalError('VM_GONE', `VM ${manifest.spec.vm} is gone`);
      return driven(qemu, options);
    },
    async list() {
      await soon();
      return [...room.qemus.values()].map(foundOf);
    },
    async find(vm) {
      await soon();
      const qemu = room.qemus.get(vm);
      return qemu === undefined ? undefined : foundOf(qemu);
    },
    async end(identity) {
      const qemu = room.byPid(identity.pid);
      qemu?.end({ exitCode: null, signal: 'SIGKILL', stderr: '' });
      await soon();
      return true;
    },
    async discard(vm) {
      await soon();
      room.remove(vm);
    },
    async availableBytes() {
      return room.availableBytes;
    },
    connect({ address }) {
      const accept = () => room.listenerAt(`${address.ip}:${address.port}`);
      return new Wire({ time, chance, process, latency: behaviour().link, accept }).shoalSide;
    },
  };
}

/** @throws IMAGE_MISSING, IMAGE_INVALID */
function checkImageFile({ image, imageDigest }: MachineSpec): void {
  if (image !== IMAGE_PATH) throw new ShoalError('IMAGE_MISSING', `There is no ${image} (simulated)`);
  if (!isDigest(imageDigest)) throw new ShoalError('IMAGE_INVALID', `${image} has another digest (simulated)`);
}

function isOf({ manifest }: Qemu, { uuid, process }: Manifest): boolean {
  return manifest.uuid === uuid && manifest.process?.startTicks === process?.startTicks;
}

function foundOf(qemu: Qemu): Found {
  return qemu.isAlive ? { kind: 'running', manifest: qemu.manifest } : { kind: 'gone', vm: qemu.spec.vm };
}

/** One QEMU, driven by one life of Shoal. */
function driven(qemu: Qemu, { time, chance, process, room, behaviour }: SimulatedHypervisorOptions): Machine {
  let onConsole: (bytes: Uint8Array) => void = () => undefined;
  let isReleased = false;
  let unheard = [...qemu.printed];
  const after = (ms: number): Promise<void> => new Promise((resolve) => process.later(ms, resolve));
  const soon = (): Promise<void> => after(draw(behaviour().monitor, chance));
  // What is read together is heard together, as from the console's file.
  const readConsole = (): void => {
    const lines = unheard;
    unheard = [];
    if (isReleased || lines.length === 0) return;
    for (const line of lines) {
      if (line.startsWith(RELAY)) room.relays?.heard(qemu.spec.vm, line.slice(RELAY.length));
    }
    onConsole(encoder.encode(lines.map((one) => `\n${one}\n`).join('')));
  };
  const hear = (line: string): void => {
    unheard.push(line);
    if (unheard.length === 1) process.later(draw(behaviour().console, chance), readConsole);
  };
  qemu.onConsole = hear;
  // QEMU takes its commands in the order in which they are sent.
  let lastCommandMs = 0;
  const monitor = async (): Promise<void> => {
    lastCommandMs = Math.max(lastCommandMs, time.nowMs + draw(behaviour().monitor, chance));
    await after(lastCommandMs - time.nowMs);
    if (!qemu.isAlive) throw new ShoalError('QMP_ERROR', `The monitor of VM ${qemu.spec.vm} is gone`);
  };
  let tellExit: (exit: MachineExit) => void = () => undefined;
  return {
    get manifest(): Manifest {
      return qemu.manifest;
    },
    process: qemu.process,
    async start() {
      await monitor();
      qemu.continue();
    },
    async pause() {
      await monitor();
      qemu.pause();
    },
    async remember(guest) {
      await soon();
      qemu.remember(guest);
    },
    async isRunning() {
      await monitor();
      return qemu.isCpuRunning;
    },
    pressPowerButton: monitor,
    async quit() {
      await monitor();
      qemu.quit();
    },
    onConsole(listener) {
      onConsole = listener;
      if (unheard.length > 0) process.later(draw(behaviour().console, chance), readConsole);
    },
    onFault: () => undefined,
    listen: () => undefined,
    writeConsole: (text) => qemu.guest.hear(text),
    onExit(listener) {
      const tell = (exit: MachineExit): void => {
        process.later(draw(behaviour().monitor, chance), () => {
          // Its last words come before.
          readConsole();
          if (!isReleased) listener(exit);
        });
      };
      if (qemu.exit !== undefined) tell(qemu.exit);
      else {
        tellExit = tell;
        qemu.onExit = tell;
      }
    },
    signal(signal) {
      if (signal === 'SIGTERM' || signal === 'SIGKILL') {
        time.after(KILL_MS, () => qemu.end({ exitCode: null, signal, stderr: '' }));
      }
    },
    cpuDemandMs: () => 0,
    cpuUsedMs: () => 0,
    async remove() {
      await soon();
      room.remove(qemu.spec.vm);
    },
    async release() {
      isReleased = true;
      // Somebody else may drive it by now.
      if (qemu.onConsole === hear) qemu.onConsole = () => undefined;
      if (qemu.onExit === tellExit) qemu.onExit = () => undefined;
    },
  };
}
