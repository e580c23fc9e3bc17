import type { OnReadOpts, Socket } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import { ConsoleFile, READ_BYTES_MAX } from './console-file.ts';
import type { ConsoleRounds, NextRound, RoundMember } from './console-rounds.ts';
import type { RunPaths } from './run-directory.ts';
import { connectUnix } from './unix-socket.ts';

/** A guest that boots is looked for again after this share of the time that it has taken so far. */
const BOOT_SHARE = 1 / 32;
const BOOT_MS_MIN = 1;
/** One that is up reports by itself: it is looked for twice an interval, and this often at least. */
const REST_MS_MAX = 500;
/** What did not fit into one look must not wait for the next round. */
const MORE_MS = 10;
const INPUT_TIMEOUT_MS = 1_000;
/** Input that the guest does not read stays in our memory; commands to it are some bytes a life. */
const INPUT_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;
const NO_BYTES = new Uint8Array(0);

export interface ConsoleOptions {
  readonly paths: RunPaths;
  readonly rounds: ConsoleRounds;
  readonly clock: Clock;
  readonly statusIntervalMs: number;
  /** `new`: its CPU waits yet. `booting`: it may have said that it is ready, and nobody heard it. `up`: what it printed so far was read. */
  readonly guest: 'new' | 'booting' | 'up';
}

/**
 * The serial console of a VM. What the guest prints is read from a file, in rounds with the consoles of others; what it is told goes
 * through a socket, which is connected for that alone.
 */
export class QemuConsole implements RoundMember {
  readonly #options: ConsoleOptions;
  readonly #file: ConsoleFile;
  #pace: 'booting' | 'settling' | 'resting';
  #bootMs: number;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;
  #inputBytes = 0;
  #input: Promise<void> = Promise.resolve();
  #inputSocket: Socket | undefined;
  #closed = false;

  constructor(options: ConsoleOptions) {
    const { paths, clock, guest } = options;
    this.#options = options;
    this.#file = ConsoleFile.open(paths.consoleOut, guest === 'up' ? 'end' : 'start');
    this.#pace = guest === 'up' ? 'resting' : 'booting';
    this.#bootMs = clock.monotonic();
  }

  /** Nothing is read before somebody listens. The bytes are the listener's only until it returns. */
  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#onBytes = listener;
    if (this.#options.guest !== 'new') this.#options.rounds.join(this);
  }

  /** The CPU runs from now on. */
  boot(): void {
    if (this.#pace !== 'booting') return;
    this.#bootMs = this.#options.clock.monotonic();
    this.#options.rounds.join(this);
  }

  /** The guest is up: after its next line, its first report, there is no hurry any more. */
  settle(): void {
    if (this.#pace === 'booting') this.#pace = 'settling';
  }

  round(nowMs: number): NextRound {
    const bytes = this.#tryToRead();
    if (bytes.length === READ_BYTES_MAX) return { inMs: MORE_MS, aligned: false };
    // Each line of the contract begins with a newline as well.
    if (this.#pace === 'settling' && bytes.length > 1 && bytes.at(-1) === NEWLINE) this.#pace = 'resting';
    const restMs = Math.min(REST_MS_MAX, this.#options.statusIntervalMs / 2);
    const bootMs = Math.max(BOOT_MS_MIN, (nowMs - this.#bootMs) * BOOT_SHARE);
    return this.#pace === 'resting' || bootMs >= restMs
      ? { inMs: restMs, aligned: true }
      : { inMs: bootMs, aligned: false };
  }

  write(text: string): void {
    if (this.#closed || this.#inputBytes + text.length > INPUT_BYTES_MAX) return;
    this.#inputBytes += text.length;
    this.#input = this.#input.then(() => this.#say(text)).catch(() => undefined);
  }

  /** The process is gone: reads what it printed last (the guest's `bye`). */
  readToEnd(): void {
    while (this.#tryToRead().length > 0);
  }

  close(): void {
    this.#closed = true;
    this.#options.rounds.leave(this);
    this.#file.close();
    this.#inputSocket?.destroy();
  }

  /** A console that cannot be read is a guest that is silent, and R6 judges those. */
  #tryToRead(): Uint8Array {
    try {
      return this.#read();
    } catch {
      return NO_BYTES;
    }
  }

  #read(): Uint8Array {
    const bytes = this.#file.read();
    if (bytes.length > 0) this.#onBytes?.(bytes);
    return bytes;
  }

  /** Ends the connection behind the text: QEMU closes it when the guest has got all of it. */
  async #say(text: string): Promise<void> {
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

/** What is printed meanwhile comes through the socket as well, and is in the file. */
const NOTHING_NEW: OnReadOpts = { buffer: new Uint8Array(1024), callback: () => true };
