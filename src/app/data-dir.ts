import { accessSync, constants, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, messageOf, ShoalError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import {
  FileLock,
  identify,
  inodeOf,
  isAlive,
  isProcessIdentity,
  makeFolder,
  type ProcessIdentity,
  whileThere,
  writeDurable,
} from '../process/mod.ts';
import { readDataFile } from './data-file.ts';
import { tagOf } from './fleet-tag.ts';
import { holderOfPath, holdPath, parsed, releasePath } from './path-holder.ts';

/** The file by which commands find the Shoal that runs on a data directory. */
export interface RunningFleet {
  readonly version: 1;
  readonly process: ProcessIdentity;
  /** Of the data directory (`inodeOf`); earlier versions did not write it. */
  readonly inode?: string;
  readonly fleet: string;
  /** URL of its NATS server, without a password. */
  readonly nats: string;
  /** The URL with its credentials, if it has some: only this user can read the file. */
  readonly login?: string;
  /** The file that the image was copied from, and the copy's SHA-256; earlier versions did not write it. */
  readonly image?: { readonly path: string; readonly digest: string };
  readonly startedMs: number;
}

const RUNNING_FILE = 'running.json';
const LOCK_FILE = 'lock';
/** A command that looks whether the lock is held has it for that long at most. */
const LOOK_S = 1;
const PLACE_FILE = 'place.json';

/** A data directory that this process holds. */
export class DataDir {
  readonly path: string;
  readonly tag: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.tag = tagOf(path);
    this.#lock = lock;
  }

  /** @throws DATA_DIR_UNUSABLE, DATA_DIR_IN_USE naming the process that holds it */
  static async open(directory: string): Promise<DataDir> {
    const path = usable(directory);
    const lock = takeLock(path) ?? (findHolder(path) === undefined ? takeLock(path, LOOK_S) : undefined);
    // If the lock file was removed, its holder still runs while a new file can be locked.
    const running = lock === undefined ? readRunning(path) : findRunning(path);
    const holder = lock === undefined || running !== undefined ? running?.process : holderOfPath(path);
    if (lock !== undefined && holder === undefined) {
      lock.note(`${JSON.stringify(holderHere(path))}\n`);
      holdPath(path);
      return new DataDir(path, lock);
    }
    lock?.release();
    throw inUse(path, running, holder);
  }

  /** Records the present path. */
  async settle(): Promise<void> {
    const place: Place = { path: this.path, inode: inodeOf(this.path) };
    await writeDurable(join(this.path, PLACE_FILE), `${JSON.stringify(place)}\n`);
  }

  /** Makes a folder in it that only this user can use. */
  folder(name: string): string {
    const path = join(this.path, name);
    makeFolder(path);
    return path;
  }

  async announce(running: Omit<RunningFleet, 'version' | 'process' | 'inode'>): Promise<void> {
    const self = identify(process.pid);
    if (self === undefined) throw new ShoalError('PROC_UNUSABLE', 'This process is not in /proc');
    const content: RunningFleet = { version: 1, process: self, inode: inodeOf(this.path), ...running };
    await writeDurable(join(this.path, RUNNING_FILE), `${JSON.stringify(content, null, 2)}\n`);
  }

  close(): void {
    rmSync(join(this.path, RUNNING_FILE), { force: true });
    releasePath(this.path);
    this.#lock.note('');
    this.#lock.release();
  }
}

/**
 * The former path of a data directory, if it was moved since a Shoal last ran on it: VMs left from then have another tag. A move to another
 * file system is a copy whose original is gone.
 * @param path its real path
 */
export function formerPath(path: string): string | undefined {
  const place = readPlace(path);
  if (place === undefined || place.path === path) return undefined;
  return place.inode === inodeOf(path) || !isSettled(place.path) ? place.path : undefined;
}

/** Where a data directory was when a Shoal last ran on it. */
interface Place {
  readonly path: string;
  readonly inode: string;
}

/**
 * The Shoal that runs on a data directory; undefined if none does. A Shoal that runs on the original of a copied directory does not
 * run on the copy.
 * @throws DATA_DIR_UNUSABLE if the file that tells cannot be read
 */
export function findRunning(directory: string): RunningFleet | undefined {
  const running = readRunning(directory);
  if (running === undefined || !isAlive(running.process)) return undefined;
  const isCopied = running.inode !== undefined && running.inode !== inodeOf(directory);
  return isCopied ? undefined : running;
}

/** Who has the lock, in the lock file. */
interface Holder {
  readonly process: ProcessIdentity | undefined;
  readonly inode: string;
}

function holderHere(path: string): Holder {
  return { process: identify(process.pid), inode: inodeOf(path) };
}

/** The Shoal that is just starting or stopping on a data directory, or runs on it; undefined if none is known. */
export function findHolder(directory: string): ProcessIdentity | undefined {
  const content = parsed(readDataFile(join(directory, LOCK_FILE)));
  if (isRecord(content)) {
    const { process: holder, inode }: Partial<Record<keyof Holder, unknown>> = content;
    // The file may have been copied with its directory.
    if (isProcessIdentity(holder) && inode === inodeOf(directory) && isAlive(holder)) return holder;
  }
  const path = whileThere(() => realpathSync(directory));
  return path === undefined ? undefined : holderOfPath(path);
}

/**
 * For a command that is long at work before it opens the directory. Somebody may take it meanwhile.
 * @throws DATA_DIR_IN_USE naming the process that holds it
 */
export function refuseInUse(directory: string): void {
  const running = findRunning(directory);
  const holder = running?.process ?? findHolder(directory);
  if (holder !== undefined) throw inUse(directory, running, holder);
}

/**
 * For a command that found no process: none may be seen from here.
 * @throws DATA_DIR_IN_USE if a Shoal runs on the directory all the same; DATA_DIR_UNUSABLE if that cannot be told
 */
export function refuseUnseen(directory: string): void {
  if (findHolder(directory) !== undefined) return;
  if (!locked(directory, () => FileLock.isHeld(join(directory, LOCK_FILE)))) return;
  const { nats = 'URL', fleet = 'NAME' } = readRunning(directory) ?? {};
  throw new ShoalError(
    'DATA_DIR_IN_USE',
    `A Shoal holds the data directory ${directory}, but its process cannot be seen from here: it runs in another container, ` +
      `or is just starting or stopping; use it from where it runs, or name it with \`--nats ${nats} --fleet ${fleet}\``,
    { details: { directory } },
  );
}

function usable(directory: string): string {
  try {
    makeFolder(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(directory);
  } catch (cause) {
    throw new ShoalError(
      'DATA_DIR_UNUSABLE',
      `The data directory ${directory} cannot be used (${codeOf(cause) ?? String(cause)}); ` +
        'make it readable and writable for this user, or name another with --data',
      { cause, details: { directory } },
    );
  }
}

function takeLock(directory: string, waitS?: number): FileLock | undefined {
  return locked(directory, () => FileLock.tryTake(join(directory, LOCK_FILE), waitS));
}

function locked<T>(directory: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    if (cause instanceof ShoalError) throw cause;
    const why = messageOf(cause);
    throw new ShoalError(
      'DATA_DIR_UNUSABLE',
      `The data directory ${directory} cannot be locked (${join(directory, LOCK_FILE)}): ${why}`,
      {
        cause,
        details: { directory },
      },
    );
  }
}

function inUse(path: string, running: RunningFleet | undefined, holder: ProcessIdentity | undefined): ShoalError {
  const who = running === undefined ? describeHolder(holder) : describe(running);
  return new ShoalError(
    'DATA_DIR_IN_USE',
    `${who} runs on the data directory ${path}; stop it with \`shoal down --data ${path}\`, or name another with --data`,
    {
      details: {
        directory: path,
        ...(holder === undefined ? {} : { pid: holder.pid }),
        ...(running === undefined ? {} : { fleet: running.fleet }),
      },
    },
  );
}

function describeHolder(holder: ProcessIdentity | undefined): string {
  return holder === undefined
    ? 'another Shoal, which is just starting or stopping,'
    : `Shoal with pid ${holder.pid}, which was started before the directory was replaced,`;
}

function describe({ process: { pid }, fleet, nats }: RunningFleet): string {
  return `Shoal with pid ${pid} (fleet "${fleet}" at ${nats})`;
}

/** @returns undefined if there is no file, or its content is not of Shoal @throws DATA_DIR_UNUSABLE if it cannot be read */
function readRunning(directory: string): RunningFleet | undefined {
  const path = join(directory, RUNNING_FILE);
  const content = parsed(readDataFile(path, ', so nobody can say whether a Shoal runs there'));
  return isRunningFleet(content) ? content : undefined;
}

function isImage(content: unknown): boolean {
  if (!isRecord(content)) return false;
  const { path, digest }: { readonly path?: unknown; readonly digest?: unknown } = content;
  return typeof path === 'string' && typeof digest === 'string';
}

/** @returns undefined if there is no file, or its content is not of Shoal @throws DATA_DIR_UNUSABLE if it cannot be read */
function readPlace(directory: string): Place | undefined {
  const content = parsed(readDataFile(join(directory, PLACE_FILE)));
  return isPlace(content) ? content : undefined;
}

/** Whether a directory is where a Shoal last ran on it. */
function isSettled(directory: string): boolean {
  const place = readPlace(directory);
  return place?.path === directory && whileThere(() => inodeOf(directory)) === place.inode;
}

function isPlace(content: unknown): content is Place {
  if (!isRecord(content)) return false;
  const { path, inode }: Partial<Record<keyof Place, unknown>> = content;
  return typeof path === 'string' && typeof inode === 'string';
}

function isRunningFleet(content: unknown): content is RunningFleet {
  if (!isRecord(content)) return false;
  const fields: Partial<Record<keyof RunningFleet, unknown>> = content;
  if (!isProcessIdentity(fields.process) || fields.version !== 1) return false;
  if (fields.image !== undefined && !isImage(fields.image)) return false;
  if (fields.inode !== undefined && typeof fields.inode !== 'string') return false;
  if (fields.login !== undefined && typeof fields.login !== 'string') return false;
  return typeof fields.fleet === 'string' && typeof fields.nats === 'string' && typeof fields.startedMs === 'number';
}
