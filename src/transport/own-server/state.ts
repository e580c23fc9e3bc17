import { unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, ShoalError } from '../../errors.ts';
import { isRecord } from '../../is-record.ts';
import { readPlainFile } from '../../plain-file.ts';
import {
  findByArgument,
  inodeOf,
  isProcessIdentity,
  type ProcessIdentity,
  processesWith,
  writeDurable,
} from '../../process/mod.ts';

/**
 * The state of our own server on disk. It is written before the start, without the process, and again with it. After a crash in between,
 * the configuration file in the arguments of a process identifies the server.
 */
export interface ServerState {
  /** The server's name, new at each start: a server that answers with it is the one of this state. */
  readonly name: string;
  readonly port: number;
  /** File name of the configuration, new at each start. It has the name and the port in it: see `stateOfProcess`. */
  readonly config: string;
  readonly process: ProcessIdentity | undefined;
}

const VERSION = 1;
const FILE = 'server.json';
const CONFIG = /^nats-(\d+)-([0-9a-f]+)\.conf$/;

/** @param tag new at each start, hexadecimal */
export function newState(port: number, tag: string): ServerState {
  return { name: `shoal-${tag}`, port, config: `nats-${port}-${tag}.conf`, process: undefined };
}

/** The state of a server that runs with a configuration file at this path, also if somebody has removed all files of it. */
export function stateOfProcess(directory: string): ServerState | undefined {
  for (const { argument } of processesWith((one) => dirname(one) === directory && CONFIG.test(basename(one)))) {
    const [, port, tag] = CONFIG.exec(basename(argument)) ?? [];
    if (tag !== undefined) return newState(Number(port), tag);
  }
  return undefined;
}

/** @returns undefined if there is none of this directory. @throws NATS_SERVER_FAILED if it is damaged or newer; it is left as it is */
export async function readState(directory: string): Promise<ServerState | undefined> {
  const path = join(directory, FILE);
  let text: string;
  try {
    text = (await readPlainFile(path)).toString();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const found = parse(text);
  // The state in a copied directory is about the original's server.
  if (found !== undefined) return isOf(directory, found) ? found.state : undefined;
  throw new ShoalError(
    'NATS_SERVER_FAILED',
    `${path} is damaged or of a newer version, so nobody can say which nats-server is ours. Look whether one still runs with a configuration file in ${directory}, end it, then remove ${path}`,
    { details: { path } },
  );
}

export async function writeState(directory: string, state: ServerState): Promise<void> {
  await writeDurable(
    join(directory, FILE),
    `${JSON.stringify({ version: VERSION, inode: inodeOf(directory), ...state })}\n`,
  );
}

export async function removeState(directory: string): Promise<void> {
  await removeFile(join(directory, FILE));
}

export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

interface Written {
  readonly state: ServerState;
  /** The directory's; earlier versions did not write it. */
  readonly inode: string | undefined;
}

/** A directory that was restored from a copy has another inode, and its server runs with a configuration file at its path. */
function isOf(directory: string, { state, inode }: Written): boolean {
  if (inode === undefined || inode === inodeOf(directory)) return true;
  return findByArgument(join(directory, state.config)) !== undefined;
}

function parse(text: string): Written | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value['version'] !== VERSION) return undefined;
  const { name, port, config, process, inode } = value;
  if (inode !== undefined && typeof inode !== 'string') return undefined;
  if (typeof name !== 'string' || typeof config !== 'string' || !isPort(port)) return undefined;
  // The file is removed by this name, which must not lead out of the directory.
  if (!/^[a-z0-9-]+\.conf$/.test(config)) return undefined;
  if (process !== undefined && !(isProcessIdentity(process) && process.pid > 1)) return undefined;
  return { state: { name, port, config, process }, inode };
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536;
}
