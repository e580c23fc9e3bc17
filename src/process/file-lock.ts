import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, statSync, writeSync } from 'node:fs';
import { codeOf } from '../errors.ts';
import { openPlainFileSync } from '../plain-file.ts';
import { openFilesLimit } from './open-files.ts';
import { processLimit } from './process-limit.ts';
import { whileThere } from './while-there.ts';

/** The file may be removed between the open and the lock. */
const ATTEMPTS_MAX = 10;
/** The exit code of flock(1) if another process holds the lock. */
const CONFLICT = 1;

/**
 * A kernel lock on a file (flock(2)). It is taken atomically, holds across all namespaces, and is released when its holder dies, however
 * that happens. Node has no call for it, so flock(1) of util-linux locks an open file that it inherits from us. The lock belongs to the open
 * file description, which only this process has once flock(1) has ended.
 */
export class FileLock {
  readonly #file: number;

  private constructor(file: number) {
    this.#file = file;
  }

  /**
   * Makes the file if it is missing. @param waitS for how long it waits for another process that has it
   * @returns undefined if another process has it @throws if the file cannot be opened or locked, or is none
   */
  static tryTake(path: string, waitS = 0): FileLock | undefined {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const file = openPlainFileSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
      let isKept = false;
      try {
        if (!lock(file, '--timeout', String(waitS))) return undefined;
        isKept = isThere(path, file);
        if (isKept) return new FileLock(file);
      } finally {
        if (!isKept) closeSync(file);
      }
    }
    throw new Error(`${path} was removed again and again while it was to be locked`);
  }

  /**
   * Whether a process has it, in whatever namespace. Whoever wants to take it meanwhile may have to wait a moment.
   * @throws if the file cannot be opened or locked
   */
  static isHeld(path: string): boolean {
    const file = whileThere(() => openPlainFileSync(path, constants.O_RDONLY));
    if (file === undefined) return false;
    try {
      return !lock(file, '--shared', '--nonblock');
    } finally {
      closeSync(file);
    }
  }

  /** Replaces the content of the file, which says who has it. It is for people and other programs: a full disk does not matter. */
  note(text: string): void {
    try {
      ftruncateSync(this.#file);
      writeSync(this.#file, text, 0);
    } catch {
      // The lock holds without it.
    }
  }

  release(): void {
    closeSync(this.#file);
  }
}

function lock(file: number, ...flags: readonly string[]): boolean {
  // The file is the program's descriptor 3.
  const { status, error, stderr } = spawnSync('flock', [...flags, '3'], {
    // A PATH that was made for Shoal may have little in it.
    env: { PATH: [process.env['PATH'], '/usr/bin', '/bin'].filter(Boolean).join(':') },
    stdio: ['ignore', 'ignore', 'pipe', file],
  });
  if (status === 0) return true;
  if (status === CONFLICT) return false;
  if (codeOf(error) === 'ENOENT')
    throw new Error('the program flock was not found; install it (Debian: apt-get install util-linux)', {
      cause: error,
    });
  if (codeOf(error) === 'EMFILE') throw openFilesLimit('The program flock cannot be started', error);
  if (codeOf(error) === 'EAGAIN') throw processLimit('The program flock cannot be started', undefined, error);
  throw new Error(error?.message ?? (String(stderr).trim() || `flock ended with ${status}`), { cause: error });
}

function isThere(path: string, file: number): boolean {
  const [own, there] = [fstatSync(file, { bigint: true }), whileThere(() => statSync(path, { bigint: true }))];
  return there !== undefined && there.ino === own.ino && there.dev === own.dev;
}
