import type { OnReadOpts, Socket } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import { messageOf } from '../../errors.ts';
import { ConsoleFile, READ_BYTES_MAX } from './console-file.ts';
import type { ConsoleRounds, NextRound, RoundMember } from './console-rounds.ts';
import type { RunPaths } from './run-directory.ts';
import { connectUnix } from './unix-socket.ts';

/** The console of a guest that boots is read again after this share of the time that the boot has taken so far. */
const BOOT_SHARE = 1 / 32;
const BOOT_MS_MIN = 1;
/** A guest that is up reports by itself: its console is read twice an interval, and this often at least. */
const REST_MS_MAX = 500;
/** How long a line that is waited for may take to come; then the pace is that of before. */
const LISTEN_MS = 200;
/** Such a console is read again after this share of the time waited so far. */
const LISTEN_SHARE = 1 / 8;
/** Output that did not fit into one read must not wait for the next round. */
const MORE_MS = 10;
const INPUT_TIMEOUT_MS = 1_000;
/** Input that the guest does not read stays in memory; commands to it are some bytes a life. */
const INPUT_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;
const NO_BYTES = new Uint8Array(0);

export interface ConsoleOptions {
  readonly paths: RunPaths;
  readonly rounds: ConsoleRounds;
  readonly clock: Clock;
  readonly statusIntervalMs: number;
  /** `new`: its CPU has not run yet. `booting`: its ready line may be unread. `up`: its output so far was read. */
  readonly guest: 'new' | 'booting' | 'up';
}

/**
 * The serial console of a VM. Output is read from a file, in rounds with the consoles of others; input goes through a
 * socket, which is connected for each input alone. A console that fails says so and is tried again: it harms neither
 * its VM nor other consoles.
 */
export class QemuConsole implements RoundMember {
  readonly #options: ConsoleOptions;
  #file: ConsoleFile | undefined;
  #pace: 'booting' | 'settling' | 'resting';
  /** Whether an adopter would have to read again what the guest has said. */
  #isKept: boolean;
  #bootMs: number;
  /** Since when a line is waited for. */
  #listenMs = Number.NEGATIVE_INFINITY;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;
  #onFault: ((why: string) => void) | undefined;
  readonly #faults = new Set<Direction>();
  #inputBytes = 0;
  #input: Promise<void> = Promise.resolve();
  #inputSocket: Socket | undefined;
  #closed = false;

  constructor(options: ConsoleOptions) {
    const { paths, clock, guest } = options;
    this.#options = options;
    // The console of a VM that runs already may be missing or out of reach: the VM goes on, and each round tries
    // again.
    this.#file = guest === 'new' ? ConsoleFile.create(paths.consoleOut) : this.#tryToOpen();
    this.#pace = guest === 'up' ? 'resting' : 'booting';
    this.#isKept = guest !== 'up';
    this.#bootMs = clock.monotonic();
  }

  /** Nothing is read before somebody listens. The bytes are the listener's only until it returns. */
  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
    if (this.#options.guest !== 'new') this.#options.rounds.join(this);
  }

  /** Told of a failure once, until that direction works again. */
  onFault(listener: (why: string) => void): void {
    this.#onFault = listener;
  }

  /** The CPU runs from now on. */
  boot(): void {
    if (this.#pace !== 'booting') return;
    this.#bootMs = this.#options.clock.monotonic();
    this.#options.rounds.join(this);
  }

  /** The guest is up: once its next line, the first report, has come, the pace slows down. */
  settle(): void {
    if (this.#pace === 'booting') this.#pace = 'settling';
  }

  /** The manifest says that the guest is up: nobody needs its ready line again. */
  remembered(): void {
    this.#isKept = false;
  }

  /** A line is about to come. Reading that often for ever would cost an idle process its rest. */
  listen(): void {
    if (this.#closed || this.#onBytes === undefined) return;
    this.#listenMs = this.#options.clock.monotonic();
    this.#options.rounds.join(this);
  }

  round(nowMs: number): NextRound {
    const bytes = this.#tryToRead();
    if (bytes.length === READ_BYTES_MAX) return { inMs: MORE_MS, aligned: false };
    // Each line of the contract begins with a newline as well.
    if (this.#pace === 'settling' && bytes.length > 1 && bytes.at(-1) === NEWLINE) this.#pace = 'resting';
    const restMs = Math.min(REST_MS_MAX, this.#options.statusIntervalMs / 2);
    const waitedMs = nowMs - this.#listenMs;
    if (waitedMs < LISTEN_MS) return { inMs: Math.max(BOOT_MS_MIN, waitedMs * LISTEN_SHARE), aligned: false };
    const bootMs = Math.max(BOOT_MS_MIN, (nowMs - this.#bootMs) * BOOT_SHARE);
    return this.#pace === 'resting' || bootMs >= restMs
      ? { inMs: restMs, aligned: true }
      : { inMs: bootMs, aligned: false };
  }

  write(text: string): void {
    if (this.#closed || this.#inputBytes + text.length > INPUT_BYTES_MAX) return;
    this.#inputBytes += text.length;
    this.#input = this.#input
      .then(() => this.#send(text))
      .then(
        () => void this.#faults.delete('written'),
        (error: unknown) => this.#failed('written', error),
      );
  }

  /** The process is gone: reads its last output (the guest's `bye`). */
  readToEnd(): void {
    while (this.#tryToRead().length > 0);
  }

  close(): void {
    this.#closed = true;
    this.#options.rounds.leave(this);
    this.#file?.close();
    this.#inputSocket?.destroy();
  }

  #tryToOpen(): ConsoleFile | undefined {
    try {
      return this.#open();
    } catch {
      return undefined;
    }
  }

  #open(): ConsoleFile {
    const { paths, guest } = this.#options;
    return ConsoleFile.open(paths.consoleOut, guest === 'up' ? 'end' : 'start');
  }

  #tryToRead(): Uint8Array {
    if (this.#closed) return NO_BYTES;
    try {
      this.#file ??= this.#open();
      const bytes = this.#file.read(this.#isKept);
      this.#faults.delete('read');
      if (bytes.length > 0) this.#onBytes?.(bytes);
      return bytes;
    } catch (error) {
      this.#failed('read', error);
      return NO_BYTES;
    }
  }

  #failed(direction: Direction, error: unknown): void {
    if (this.#closed || this.#faults.has(direction)) return;
    this.#faults.add(direction);
    this.#onFault?.(`its console cannot be ${direction}: ${messageOf(error)}`);
  }

  /** Ends the connection behind the text; QEMU closes it when the guest has got all of it. */
  async #send(text: string): Promise<void> {
    const { paths, clock } = this.#options;
    try {
      const socket = await connectUnix(paths.consoleIn, INPUT_TIMEOUT_MS, clock, () => !this.#closed, NOTHING_NEW);
      this.#inputSocket = socket;
      if (this.#closed) socket.destroy();
      else socket.end(text);
      await new Promise((resolve) => socket.once('close', resolve));
    } finally {
      this.#inputBytes -= text.length;
    }
  }
}

type Direction = 'read' | 'written';

/** Output of that time comes through the socket as well; the file has it already. */
const NOTHING_NEW: OnReadOpts = { buffer: new Uint8Array(1024), callback: () => true };
