import type { Clock } from '../../actors/mod.ts';
import type { GuestReady } from '../../fleet/mod.ts';
import {
  boundFile,
  cpuDemandMsOf,
  type ProcessExit,
  type ProcessIdentity,
  readTail,
  type Spawner,
  signalProcess,
} from '../../process/mod.ts';
import type { Machine, MachineExit, Manifest } from '../port.ts';
import { ConsoleStream } from './console-stream.ts';
import { writeManifest } from './manifest.ts';
import { Qmp } from './qmp.ts';
import { type RunPaths, removeRunDirectory } from './run-directory.ts';
import { connectUnix } from './unix-socket.ts';

const QMP_TIMEOUT_MS = 5_000;
const STDERR_TAIL_BYTES = 2_000;
/** How often QEMU's own log is looked at; it says next to nothing unless something is wrong. */
const STDERR_CHECK_MS = 10_000;

export interface OpenOptions {
  readonly paths: RunPaths;
  readonly manifest: Manifest;
  readonly process: ProcessIdentity;
  readonly spawner: Spawner;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** What else of the machine there is to be removed. */
  readonly onRemoved: () => void;
}

/** One QEMU process of ours, with both of its sockets connected. */
export class QemuMachine implements Machine {
  readonly process: ProcessIdentity;
  readonly #paths: RunPaths;
  readonly #onRemoved: () => void;
  readonly #clock: Clock;
  readonly #qmp: Qmp;
  readonly #console: ConsoleStream;
  #manifest: Manifest;
  #released = false;
  #exit: MachineExit | undefined;
  #onExit: ((exit: MachineExit) => void) | undefined;
  #cancelCheck: () => void = () => undefined;

  /** Connects to a QEMU that runs or is coming up. @throws QMP_TIMEOUT, QMP_ERROR; nothing stays open then */
  static async open(options: OpenOptions, goOn: () => boolean): Promise<QemuMachine> {
    const { paths, clock, timeoutMs } = options;
    const socket = connectUnix(paths.qmp, timeoutMs, clock, goOn);
    const console = ConsoleStream.open(paths.console, timeoutMs, clock, goOn);
    try {
      const [qmpSocket, opened] = await Promise.all([socket, console]);
      return new QemuMachine(options, await Qmp.open(qmpSocket, timeoutMs, clock), opened);
    } catch (error) {
      socket.then(
        (open) => open.destroy(),
        () => undefined,
      );
      console.then(
        (open) => open.close(),
        () => undefined,
      );
      throw error;
    }
  }

  private constructor(options: OpenOptions, qmp: Qmp, console: ConsoleStream) {
    this.process = options.process;
    this.#paths = options.paths;
    this.#onRemoved = options.onRemoved;
    this.#clock = options.clock;
    this.#manifest = options.manifest;
    this.#qmp = qmp;
    this.#console = console;
    // Its ready line was read by whoever had it before.
    if (options.manifest.guest !== undefined) console.unhurried();
    options.spawner.onExit(options.process, (exit) => void this.#exited(exit));
    this.#checkLater();
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  async start(): Promise<void> {
    await this.qmp('cont');
  }

  async remember(guest: GuestReady): Promise<void> {
    // Until it is ready each byte is waited for; from then on a line is as good some milliseconds later.
    this.#console.unhurried();
    this.#manifest = { ...this.#manifest, guest };
    await writeManifest(this.#paths.manifest, this.#manifest);
  }

  qmp(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs = QMP_TIMEOUT_MS): Promise<unknown> {
    return this.#qmp.command(command, args, timeoutMs);
  }

  onConsole(listener: (bytes: Uint8Array) => void): void {
    this.#console.onBytes(listener);
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

  cpuDemandMs(): number {
    return cpuDemandMsOf(this.process);
  }

  async remove(): Promise<void> {
    this.#close();
    // QEMU has another user than the directory and could not remove its sockets itself.
    this.#onRemoved();
    await removeRunDirectory(this.#paths.directory);
  }

  async release(): Promise<void> {
    this.#released = true;
    this.#close();
  }

  /** Also when released: what QEMU said last must be read before the directory goes. */
  async #exited({ exitCode, signal }: ProcessExit): Promise<void> {
    const [stderr] = await Promise.all([
      readTail(this.#paths.stderr, STDERR_TAIL_BYTES).catch(() => ''),
      this.#console.readToEnd(),
    ]);
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
    this.#cancelCheck();
    this.#qmp.close();
    this.#console.close();
  }

  #checkLater(): void {
    this.#cancelCheck = this.#clock.timer(STDERR_CHECK_MS, () => {
      // A log that cannot be cut is no reason to give up a VM.
      void boundFile(this.#paths.stderr).catch(() => undefined);
      this.#checkLater();
    });
  }
}
