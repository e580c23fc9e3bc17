import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../actors/mod.ts';
import type { GuestReady } from '../../fleet/mod.ts';
import { isRecord } from '../../is-record.ts';
import {
  cpuDemandMsOf,
  cpuUsedMsOf,
  type ProcessExit,
  type ProcessIdentity,
  readTail,
  type Spawner,
  signalProcess,
} from '../../process/mod.ts';
import type { Machine, MachineExit, Manifest } from '../port.ts';
import type { ConsoleRounds } from './console-rounds.ts';
import { writeManifest } from './manifest.ts';
import { QemuConsole } from './qemu-console.ts';
import { Qmp } from './qmp.ts';
import { type RunPaths, removeRunDirectory } from './run-directory.ts';
import { connectUnix } from './unix-socket.ts';

const QMP_TIMEOUT_MS = 5_000;
const STDERR_TAIL_BYTES = 2_000;

export interface OpenOptions {
  readonly paths: RunPaths;
  readonly manifest: Manifest;
  readonly process: ProcessIdentity;
  readonly spawner: Spawner;
  readonly clock: Clock;
  readonly rounds: ConsoleRounds;
  /** False for a QEMU that somebody else has started: its guest may run already. */
  readonly isNew: boolean;
  readonly timeoutMs: number;
  /** Removes whatever else belongs to the machine. */
  readonly onRemoved: () => void;
}

/** One QEMU process, with its monitor connected. */
export class QemuMachine implements Machine {
  readonly process: ProcessIdentity;
  readonly #paths: RunPaths;
  readonly #onRemoved: () => void;
  readonly #qmp: Qmp;
  readonly #console: QemuConsole;
  #manifest: Manifest;
  #released = false;
  #isRemoved = false;
  #exit: MachineExit | undefined;
  #onExit: ((exit: MachineExit) => void) | undefined;

  /** Connects to a QEMU that runs or is coming up. @throws QMP_TIMEOUT, QMP_ERROR; nothing stays open then */
  static async open(options: OpenOptions, goOn: () => boolean): Promise<QemuMachine> {
    const { paths, manifest, clock, rounds, isNew, timeoutMs } = options;
    const console = new QemuConsole({
      paths,
      rounds,
      clock,
      statusIntervalMs: manifest.spec.statusIntervalMs,
      guest: isNew ? 'new' : manifest.guest === undefined ? 'booting' : 'up',
    });
    try {
      const socket = await connectUnix(paths.qmp, timeoutMs, clock, goOn);
      return new QemuMachine(options, await Qmp.open(socket, timeoutMs, clock), console);
    } catch (error) {
      console.close();
      throw error;
    }
  }

  private constructor(options: OpenOptions, qmp: Qmp, console: QemuConsole) {
    this.process = options.process;
    this.#paths = options.paths;
    this.#onRemoved = options.onRemoved;
    this.#manifest = options.manifest;
    this.#qmp = qmp;
    this.#console = console;
    options.spawner.onExit(options.process, (exit) => void this.#exited(exit));
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  async start(): Promise<void> {
    const running = this.qmp('cont');
    this.#console.boot();
    await running;
  }

  async pause(): Promise<void> {
    await this.qmp('stop');
  }

  async isRunning(): Promise<boolean> {
    const status = await this.qmp('query-status');
    return isRecord(status) && status['running'] === true;
  }

  async pressPowerButton(timeoutMs?: number): Promise<void> {
    await this.qmp('system_powerdown', undefined, timeoutMs);
  }

  async quit(timeoutMs?: number): Promise<void> {
    await this.qmp('quit', undefined, timeoutMs);
  }

  async remember(guest: GuestReady): Promise<void> {
    this.#console.settle();
    this.#manifest = { ...this.#manifest, guest };
    // A request may wait for this VM: what is told in this turn of the event loop leaves before the file is written.
    await setImmediate();
    if (this.#isRemoved) return;
    writeManifest(this.#paths.manifest, this.#manifest);
    this.#console.remembered();
  }

  /** A command of QEMU's monitor. @throws QMP_TIMEOUT, QMP_ERROR */
  qmp(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs = QMP_TIMEOUT_MS): Promise<unknown> {
    return this.#qmp.command(command, args, timeoutMs);
  }

  onConsole(listener: (bytes: Uint8Array) => void): void {
    this.#console.onBytes(listener);
  }

  onFault(listener: (why: string) => void): void {
    this.#console.onFault(listener);
  }

  listen(): void {
    this.#console.listen();
  }

  writeConsole(text: string): void {
    this.#console.write(text);
  }

  onExit(listener: (exit: MachineExit) => void): void {
    this.#onExit = listener;
    if (this.#exit !== undefined) this.#tellExit(this.#exit);
  }

  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    signalProcess(this.process, signal);
  }

  cpuDemandMs(): number | undefined {
    return cpuDemandMsOf(this.process);
  }

  cpuUsedMs(): number | undefined {
    return cpuUsedMsOf(this.process);
  }

  async remove(): Promise<void> {
    this.#isRemoved = true;
    this.#close();
    // QEMU runs as another user than the directory's owner, so it cannot remove its sockets itself.
    this.#onRemoved();
    await removeRunDirectory(this.#paths.directory);
  }

  async release(): Promise<void> {
    this.#released = true;
    this.#close();
  }

  /** Also after a release: QEMU's last words must be read before the directory goes. */
  async #exited({ exitCode, signal }: ProcessExit): Promise<void> {
    const stderr = await readTail(this.#paths.stderr, STDERR_TAIL_BYTES).catch(() => '');
    this.#console.readToEnd();
    this.#close();
    this.#exit = { exitCode, signal, stderr: stderr.trim() };
    this.#tellExit(this.#exit);
  }

  #tellExit(exit: MachineExit): void {
    const listener = this.#onExit;
    if (this.#released || listener === undefined) return;
    this.#onExit = undefined;
    listener(exit);
  }

  #close(): void {
    this.#qmp.close();
    this.#console.close();
  }
}
