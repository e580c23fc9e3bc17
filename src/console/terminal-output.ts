import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty, type WriteStream } from 'node:tty';
import { type CancelTimer, type Clock, systemClock } from '../actors/mod.ts';
import { codeOf } from '../errors.ts';

/** A terminal that stands still refuses a write, and no event tells when it has room. */
const FULL_RETRY_MS = 50;

/**
 * Opens the terminal behind a descriptor once more, so that writes fail with EAGAIN instead of waiting while the terminal stands still
 * (Ctrl-S, a frozen window). The descriptor itself is shared with the shell and must stay as it is.
 * @returns the descriptor itself if it is no terminal, or one that this user may not open
 */
export function nonBlockingTerminal(fd: number): number {
  if (!isatty(fd)) return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}

/** A terminal on a serial line has 0 columns and 0 rows until somebody says what it has. */
const COLUMNS_USUAL = 80;
const ROWS_USUAL = 24;

export interface TerminalOutputOptions {
  /** Tells size and changes of size. */
  readonly terminal: WriteStream & { readonly fd: number };
  /** Told of an error: the terminal has gone. */
  readonly onGone: () => void;
  /** Told when everything has been written after a time in which the terminal stood still. */
  readonly onCaughtUp: () => void;
  readonly write?: (fd: number, bytes: Uint8Array) => number;
  readonly clock?: Clock;
}

/** What blessed draws on: a terminal that never holds up the program. Without backlog it writes at once, so that nothing overtakes it. */
export class TerminalOutput extends Writable {
  readonly isTTY = true;
  readonly #options: TerminalOutputOptions;
  readonly #write: (fd: number, bytes: Uint8Array) => number;
  readonly #clock: Clock;
  readonly #fd: number;
  #cancelRetry: CancelTimer = () => undefined;
  #isBehind = false;
  #isReleased = false;

  constructor(options: TerminalOutputOptions) {
    super({ decodeStrings: true, autoDestroy: false, emitClose: false });
    this.#options = options;
    this.#write = options.write ?? ((fd, bytes) => writeSync(fd, bytes));
    this.#clock = options.clock ?? systemClock;
    this.#fd = nonBlockingTerminal(options.terminal.fd);
    options.terminal.on('resize', this.#resized);
    options.terminal.on('error', options.onGone);
  }

  get columns(): number {
    return this.#options.terminal.columns || COLUMNS_USUAL;
  }

  get rows(): number {
    return this.#options.terminal.rows || ROWS_USUAL;
  }

  /** Whether the terminal stands still. Whoever draws now would only fill our memory. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Writes no more. What a terminal that stands still has not taken by now is dropped. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#cancelRetry();
    this.#options.terminal.off('resize', this.#resized);
    this.#options.terminal.off('error', this.#options.onGone);
    if (this.#fd !== this.#options.terminal.fd) closeSync(this.#fd);
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#isReleased) return done();
    try {
      const written = this.#write(this.#fd, bytes);
      if (written < bytes.length) return this.#later(bytes.subarray(written), done);
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return this.#later(bytes, done);
      this.#options.onGone();
      return done();
    }
    done();
    if (!this.#isBehind || this.writableLength > 0) return;
    this.#isBehind = false;
    this.#options.onCaughtUp();
  }

  #later(bytes: Buffer, done: () => void): void {
    this.#isBehind = true;
    this.#cancelRetry = this.#clock.timer(FULL_RETRY_MS, () => this._write(bytes, 'utf8', done));
  }

  readonly #resized = (): void => void this.emit('resize');
}
