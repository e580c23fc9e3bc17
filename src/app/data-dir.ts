import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { codeOf, ShoalError } from '../errors.ts';
import { identify, isAlive, makeFolder, type ProcessIdentity, whileThere, writeDurable } from '../process/mod.ts';

/** What a running Shoal says of itself in its data directory, for the commands that look for it. */
export interface RunningFleet {
  readonly version: 1;
  readonly process: ProcessIdentity;
  readonly fleet: string;
  /** URL of its NATS server, without a password. */
  readonly nats: string;
  /** The same as it was given, if it holds credentials: the file is for this user alone. */
  readonly login?: string;
  readonly startedMs: number;
}

const RUNNING_FILE = 'running.json';

/** A data directory that this process holds. */
export class DataDir {
  readonly path: string;
  /** Short and the same for the same directory: it names what stands outside of it. */
  readonly tag: string;
  readonly #lock: Server;

  private constructor(path: string, tag: string, lock: Server) {
    this.path = path;
    this.tag = tag;
    this.#lock = lock;
  }

  /** @throws DATA_DIR_UNUSABLE, DATA_DIR_IN_USE naming the process that holds it */
  static async open(directory: string): Promise<DataDir> {
    const path = usable(directory);
    const tag = tagOf(path);
    const lock = await takeLock(tag);
    if (lock === undefined) throw inUse(path, readRunning(path));
    return new DataDir(path, tag, lock);
  }

  /** A private folder inside. */
  folder(name: string): string {
    const path = join(this.path, name);
    makeFolder(path);
    return path;
  }

  async announce(running: Omit<RunningFleet, 'version' | 'process'>): Promise<void> {
    const self = identify(process.pid);
    if (self === undefined) throw new ShoalError('INTERNAL', 'this process is not in /proc');
    const content: RunningFleet = { version: 1, process: self, ...running };
    await writeDurable(join(this.path, RUNNING_FILE), `${JSON.stringify(content, null, 2)}\n`);
  }

  async close(): Promise<void> {
    rmSync(join(this.path, RUNNING_FILE), { force: true });
    await new Promise<void>((resolve) => this.#lock.close(() => resolve()));
  }
}

/** The Shoal that runs on a data directory; undefined if none does. */
export function findRunning(directory: string): RunningFleet | undefined {
  const running = readRunning(directory);
  return running !== undefined && isAlive(running.process) ? running : undefined;
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

/** Of a real path: the name of what stands outside of the directory. */
export function tagOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 8);
}

/**
 * The lock is a name in the kernel (an abstract UNIX socket): it is taken or not in one step, and is free again the moment its
 * holder dies, however that happens. A file could do neither.
 */
function takeLock(tag: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(`\0shoal-data-${tag}`, () => resolve(server.unref()));
  });
}

function inUse(path: string, running: RunningFleet | undefined): ShoalError {
  const who = running === undefined ? 'another Shoal, which is just starting or stopping,' : describe(running);
  return new ShoalError(
    'DATA_DIR_IN_USE',
    `${who} runs on the data directory ${path}; stop it with \`shoal down --data ${path}\`, or name another with --data`,
    {
      details: {
        directory: path,
        ...(running === undefined ? {} : { pid: running.process.pid, fleet: running.fleet }),
      },
    },
  );
}

function describe({ process: { pid }, fleet, nats }: RunningFleet): string {
  return `Shoal with pid ${pid} (fleet "${fleet}" at ${nats})`;
}

/** @returns undefined if there is none, or none that makes sense @throws DATA_DIR_UNUSABLE if it cannot be read */
function readRunning(directory: string): RunningFleet | undefined {
  const path = join(directory, RUNNING_FILE);
  let text: string | undefined;
  try {
    text = whileThere(() => readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ShoalError(
      'DATA_DIR_UNUSABLE',
      `The file ${path} cannot be read (${codeOf(cause) ?? String(cause)}), so nobody can say whether a Shoal runs there`,
      { cause, details: { directory } },
    );
  }
  const content = parsed(text);
  return isRunningFleet(content) ? content : undefined;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

function isRunningFleet(content: unknown): content is RunningFleet {
  if (typeof content !== 'object' || content === null) return false;
  const fields: Partial<Record<keyof RunningFleet, unknown>> = content;
  const identity = fields.process;
  if (typeof identity !== 'object' || identity === null || fields.version !== 1) return false;
  const { pid, startTicks, bootId }: Partial<Record<keyof ProcessIdentity, unknown>> = identity;
  if (typeof pid !== 'number' || typeof startTicks !== 'number' || typeof bootId !== 'string') return false;
  if (fields.login !== undefined && typeof fields.login !== 'string') return false;
  return typeof fields.fleet === 'string' && typeof fields.nats === 'string' && typeof fields.startedMs === 'number';
}
