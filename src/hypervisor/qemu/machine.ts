import type { Socket } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import type { GuestReady } from '../../fleet/mod.ts';
import {
  boundFile,
  cpuMsOf,
  type ProcessExit,
  type ProcessIdentity,
  readTail,
  type Spawner,
  signalProcess,
} from '../../process/mod.ts';
import type { Machine, MachineExit, Manifest } from '../port.ts';
import { writeManifest } from './manifest.ts';
import { Qmp } from './qmp.ts';
import { type RunPaths, removeRunDirectory } from './run-directory.ts';
import { connectUnix } from './unix-socket.ts';

const QMP_TIMEOUT_MS = 5_000;
const CONSOLE_PACE_MS = 5;
const CONSOLE_BURST_BYTES = 150;
const CONSOLE_BURST_MS = 100;
const STDERR_TAIL_BYTES = 2_000;
/** How often QEMU's own log is looked at; it says next to nothing unless something is wrong. */
const STDERR_CHECK_MS = 10_000;
/** Input that the guest does not read stays in our memory; commands to it are some bytes a life. */
const CONSOLE_INPUT_BYTES_MAX = 64 * 1024;

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
  readonly #console: Socket;
  #manifest: Manifest;
  #released = false;
  #paced = false;
  #restlessUntilMs = 0;
  #exit: MachineExit | undefined;
  #onExit: ((exit: MachineExit) => void) | undefined;
  #onConsole: ((bytes: Uint8Array) => void) | undefined;
  #cancelCheck: () => void = () => undefined;

  /** Connects to a QEMU that runs or is coming up. @throws QMP_TIMEOUT, QMP_ERROR; nothing stays open then */
  static async open(options: OpenOptions, goOn: () => boolean): Promise<QemuMachine> {
    const { paths, clock, timeoutMs } = options;
    const sockets = await bothOrNone(
      connectUnix(paths.qmp, timeoutMs, clock, goOn),
      connectUnix(paths.console, timeoutMs, clock, goOn),
    );
    const [qmpSocket, consoleSocket] = sockets;
    try {
      return new QemuMachine(options, await Qmp.open(qmpSocket, timeoutMs, clock), consoleSocket);
    } catch (error) {
      consoleSocket.destroy();
      throw error;
    }
  }

  private constructor(options: OpenOptions, qmp: Qmp, console: Socket) {
    this.process = options.process;
    this.#paths = options.paths;
    this.#onRemoved = options.onRemoved;
    this.#clock = options.clock;
    this.#manifest = options.manifest;
    this.#qmp = qmp;
    this.#console = console;
    // Read whether somebody listens or not: a console that is not read stalls its guest.
    console.on('data', (bytes) => {
      this.#onConsole?.(bytes);
      if (this.#paced) this.#rest(bytes.length);
    });
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
    this.#paced = true;
    this.#manifest = { ...this.#manifest, guest };
    await writeManifest(this.#paths.manifest, this.#manifest);
  }

  qmp(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs = QMP_TIMEOUT_MS): Promise<unknown> {
    return this.#qmp.command(command, args, timeoutMs);
  }

  onConsole(listener: (bytes: Uint8Array) => void): void {
    this.#onConsole = listener;
  }

  writeConsole(text: string): void {
    if (this.#console.writableLength < CONSOLE_INPUT_BYTES_MAX) this.#console.write(text);
  }

  onExit(listener: (exit: MachineExit) => void): void {
    this.#onExit = listener;
    if (this.#exit !== undefined) this.#tellExit(this.#exit);
  }

  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    signalProcess(this.process, signal);
  }

  cpuMs(): number {
    return cpuMsOf(this.process);
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

  /**
   * QEMU writes each byte of the serial line by itself: reading them as they come would wake us a hundred times a line. But the socket
   * holds few hundred such writes, and the guest stalls beyond: whoever prints much is read without rest for a while.
   */
  #rest(bytes: number): void {
    const nowMs = this.#clock.monotonic();
    if (bytes >= CONSOLE_BURST_BYTES) this.#restlessUntilMs = nowMs + CONSOLE_BURST_MS;
    if (nowMs < this.#restlessUntilMs) return;
    this.#console.pause();
    this.#clock.timer(CONSOLE_PACE_MS, () => this.#console.resume());
  }

  /** Also when released: what QEMU said last must be read before the directory goes. */
  async #exited({ exitCode, signal }: ProcessExit): Promise<void> {
    this.#paced = false;
    this.#console.resume();
    const stderr = await readTail(this.#paths.stderr, STDERR_TAIL_BYTES).catch(() => '');
    await this.#consoleRead();
    this.#close();
    this.#exit = { exitCode, signal, stderr: stderr.trim() };
    this.#tellExit(this.#exit);
  }

  /** The last console bytes (the guest's `bye`) may still be in the socket when the process is gone. */
  #consoleRead(): Promise<void> {
    if (this.#console.closed || this.#released) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.timer(CONSOLE_REST_MS, resolve);
      this.#console.once('close', () => {
        cancel();
        resolve();
      });
    });
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
    this.#console.destroy();
  }

  #checkLater(): void {
    this.#cancelCheck = this.#clock.timer(STDERR_CHECK_MS, () => {
      // A log that cannot be cut is no reason to give up a VM.
      void boundFile(this.#paths.stderr).catch(() => undefined);
      this.#checkLater();
    });
  }
}

/** Local sockets of a process that is gone end at once; this is for the case that somebody else holds the other end. */
const CONSOLE_REST_MS = 500;

async function bothOrNone(first: Promise<Socket>, second: Promise<Socket>): Promise<[Socket, Socket]> {
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    for (const promise of [first, second]) {
      promise.then(
        (socket) => socket.destroy(),
        () => undefined,
      );
    }
    throw error;
  }
}
