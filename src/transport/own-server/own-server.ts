import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, exponentialDelayMs, randomHex, systemClock, systemRandom } from '../../actors/mod.ts';
import { codeOf, ShoalError } from '../../errors.ts';
import {
  findByArgument,
  isAlive,
  makeFolder,
  type ProcessExit,
  type ProcessIdentity,
  processLimit,
  processShortage,
  readTail,
  type Spawner,
  saysGone,
} from '../../process/mod.ts';
import { readServerInfo } from '../server-info.ts';
import { NATS_PORT_DEFAULT } from '../server-url.ts';
import { MAX_PAYLOAD_BYTES_DEFAULT, renderConfig } from './config.ts';
import { type EndLimits, endProcess } from './end-process.ts';
import { freePort, portWithin } from './free-port.ts';
import { findNatsServer } from './program.ts';
import { newState, readState, removeFile, removeState, type ServerState, stateOfProcess, writeState } from './state.ts';

export interface OwnServerOptions {
  /** The server's own folder; made if it is missing. */
  readonly directory: string;
  readonly spawner: Spawner;
  readonly clock?: Clock;
  /** Taken if it is free, unless an earlier server of this directory had another; default 4222. */
  readonly preferredPort?: number;
  /** Waits for the port that the server had, because others remember its address. Default: takes another port. */
  readonly keepPort?: KeepPort;
  /** Ends a server that an earlier Shoal left, instead of adopting it; default false. */
  readonly fresh?: boolean;
  /** Default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /** Default true. It costs 6 ms of the start. */
  readonly jetStream?: boolean;
  /** Path of the nats-server program; default: the one on the PATH. */
  readonly program?: string;
  /** How long the server may take to answer; default 10000. */
  readonly startTimeoutMs?: number;
  /** How long it may take to end; default 5000 by request, then 2000 by force. */
  readonly endLimits?: EndLimits;
}

export interface KeepPort {
  readonly port: number;
  /** Called once if another program has the port, before the wait. */
  readonly onTaken: () => void;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** A nats-server of ours, started or adopted. */
export interface OwnServer {
  readonly url: string;
  readonly port: number;
  readonly process: ProcessIdentity;
  /** Whether an earlier Shoal had started it. */
  readonly adopted: boolean;
  /** The port of an earlier server of this directory, if another program has it now. */
  readonly portLost: number | undefined;
  /** Standard error of the process. The caller keeps it small. */
  readonly logPath: string;
  /** Calls once when the process has ended, unless `stop` or `leave` came first. */
  onDeath(listener: () => void): void;
  /** Ends the server and forgets it. @throws NATS_SERVER_FAILED if it cannot be confirmed gone */
  stop(): Promise<void>;
  /** Leaves the server, or the files of a dead one, to the next start. */
  leave(): void;
}

const HOST = '127.0.0.1';
/** Between two looks whether a new server answers. */
const ANSWER_PAUSE = { firstMs: 5, maxMs: 100 };
const START_TIMEOUT_MS = 10_000;
const ADOPT_TIMEOUT_MS = 2_000;
const END_LIMITS: EndLimits = { termMs: 5_000, killMs: 2_000 };
/** Clients look for the server on its former port, which the kernel may close a moment after the process ended. */
const OWN_PORT_PATIENCE_MS = 1_000;
/** Between two tries of a port that another program has. */
const PORT_LOOK_MS = 250;
/** Another program may take a port just before the server does. */
const ATTEMPTS_MAX = 5;
const TAG_BYTES = 6;
const LOG = 'nats-server.log';
const LOG_TAIL_BYTES = 16_384;
/** Of its last lines, in characters. */
const SHOWN_MAX = 500;

/**
 * Adopts the nats-server that an earlier Shoal left in this directory, or starts one, on the same port if that can be had.
 * @throws NATS_MISSING; NATS_SERVER_FAILED; DATA_DIR_UNUSABLE; LAUNCHER_FAILED
 */
export async function startOwnServer(options: OwnServerOptions): Promise<OwnServer> {
  const starter = new Starter(options);
  await starter.prepareDirectory();
  const left = (await readState(options.directory)) ?? stateOfProcess(options.directory);
  const adopted = left === undefined ? undefined : await starter.adopt(left);
  if (adopted !== undefined) return adopted;
  return starter.start(options.keepPort?.port ?? left?.port);
}

class Starter {
  readonly #options: OwnServerOptions;
  readonly #clock: Clock;
  readonly #endLimits: EndLimits;
  readonly #logPath: string;

  constructor(options: OwnServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#endLimits = options.endLimits ?? END_LIMITS;
    this.#logPath = join(options.directory, LOG);
  }

  async prepareDirectory(): Promise<void> {
    const { directory } = this.#options;
    try {
      makeFolder(directory);
      await chmod(directory, 0o700);
    } catch (cause) {
      throw new ShoalError('DATA_DIR_UNUSABLE', `${directory} cannot be used for nats-server: ${String(cause)}`, {
        cause,
      });
    }
  }

  /** Adopts the server of the state if it answers. @returns undefined once it is confirmed gone */
  async adopt(state: ServerState): Promise<OwnServer | undefined> {
    const configPath = join(this.#options.directory, state.config);
    const found = state.process ?? findByArgument(configPath);
    const process = found !== undefined && isAlive(found) ? found : undefined;
    if (process !== undefined) {
      if (this.#options.fresh !== true && (await this.#answers(state, ADOPT_TIMEOUT_MS))) {
        if (state.process === undefined) await writeState(this.#options.directory, { ...state, process });
        return this.#serving(state, process, true, undefined);
      }
      await this.#end(process);
    }
    // A launcher that outlived its Shoal may still start the server: without this file that start fails.
    await removeFile(configPath);
    return undefined;
  }

  /** @param portBefore the port of an earlier server, on which clients look for it */
  async start(portBefore: number | undefined): Promise<OwnServer> {
    const program = this.#options.program ?? findNatsServer();
    let log = '';
    let end: ProcessExit | undefined;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const port = await this.#portFor(attempt, portBefore);
      const portLost = port === portBefore ? undefined : portBefore;
      const logBefore = await sizeOf(this.#logPath);
      const server = await this.#attempt(program, port, portLost);
      if ('url' in server) return server;
      end = server.exit;
      // The file has the output of earlier servers, too.
      log = await readTail(this.#logPath, Math.min(LOG_TAIL_BYTES, (await sizeOf(this.#logPath)) - logBefore));
      if (!isPortTaken(log)) break;
    }
    throw this.#failed(program, end, log);
  }

  #failed(program: string, exit: ProcessExit | undefined, log: string): ShoalError {
    const { startTimeoutMs = START_TIMEOUT_MS } = this.#options;
    const how =
      exit === undefined
        ? `it did not answer within ${startTimeoutMs} ms`
        : `it ended (${exit.signal ?? `exit code ${exit.exitCode ?? 'unknown'}`})`;
    const what = `nats-server (${program}) did not start: ${how}`;
    const shortage = processShortage();
    if (shortage !== undefined || isOutOfThreads(log)) return processLimit(what, shortage);
    const printed = log === '' ? 'It printed nothing' : `The end of ${this.#logPath}: ${lastLines(log)}`;
    return new ShoalError(
      'NATS_SERVER_FAILED',
      `${what}. ${printed}. If \`${program} --version\` is not that of nats-server 2, put the right one on the PATH, or use --nats`,
      { details: { logPath: this.#logPath } },
    );
  }

  async #portFor(attempt: number, portBefore: number | undefined): Promise<number> {
    const { keepPort, preferredPort = NATS_PORT_DEFAULT } = this.#options;
    if (keepPort !== undefined) return this.#portKept(keepPort);
    if (attempt > 0) return freePort(0, 0, this.#clock);
    const patienceMs = portBefore === undefined ? 0 : OWN_PORT_PATIENCE_MS;
    return freePort(portBefore ?? preferredPort, patienceMs, this.#clock);
  }

  async #portKept({ port, onTaken, signal }: KeepPort): Promise<number> {
    let free = await portWithin(port, OWN_PORT_PATIENCE_MS, this.#clock, signal);
    if (free !== undefined) return free;
    onTaken();
    while (free === undefined) {
      if (signal.aborted)
        throw new ShoalError('NATS_SERVER_FAILED', `Port ${port} of ${HOST} was another program's until the end`);
      await new Promise<void>((resolve) => this.#clock.timer(PORT_LOOK_MS, resolve));
      free = await portWithin(port, 0, this.#clock);
    }
    return free;
  }

  /** @returns how the process ended, if it did by itself, without having answered */
  async #attempt(
    program: string,
    port: number,
    portLost: number | undefined,
  ): Promise<OwnServer | { readonly exit: ProcessExit | undefined }> {
    const { directory, spawner, jetStream = true, maxPayloadBytes = MAX_PAYLOAD_BYTES_DEFAULT } = this.#options;
    const state = newState(port, randomHex(systemRandom, TAG_BYTES));
    const configPath = join(directory, state.config);
    const storeDirectory = jetStream ? join(directory, 'jetstream') : undefined;
    await writeFile(configPath, renderConfig({ name: state.name, port, maxPayloadBytes, storeDirectory }), {
      mode: 0o600,
    });
    await writeState(directory, state);
    const process = await this.#spawn(program, state, configPath);
    const started = { ...state, process };
    await writeState(directory, started);
    let exit: ProcessExit | undefined;
    spawner.onExit(process, (one) => {
      exit = one;
    });
    const isOver = (): boolean => exit !== undefined || !isAlive(process);
    if (await this.#answers(started, this.#options.startTimeoutMs ?? START_TIMEOUT_MS, isOver)) {
      return this.#serving(started, process, false, portLost);
    }
    const byItself = isOver() ? (exit ?? { exitCode: null, signal: null }) : undefined;
    await this.#end(process);
    await this.#forget(started);
    return { exit: byItself };
  }

  async #spawn(program: string, state: ServerState, configPath: string): Promise<ProcessIdentity> {
    const { directory, spawner } = this.#options;
    try {
      return await spawner.spawn({
        command: program,
        args: ['-c', configPath],
        cwd: directory,
        stderrPath: this.#logPath,
      });
    } catch (cause) {
      // A launcher that failed may still have started it. The state stays, so that the next start looks for it.
      if (codeOf(cause) !== 'ENOENT' && codeOf(cause) !== 'EACCES') throw cause;
      await this.#forget(state);
      throw new ShoalError('NATS_MISSING', `${program} cannot be run: ${String(cause)}`, { cause });
    }
  }

  /** Whether that very server answers on its port before the time is over. */
  async #answers(state: ServerState, timeoutMs: number, isOver: () => boolean = () => false): Promise<boolean> {
    const endMs = this.#clock.monotonic() + timeoutMs;
    for (let tries = 0; ; tries++) {
      const leftMs = endMs - this.#clock.monotonic();
      if (leftMs <= 0 || isOver()) return false;
      const info = await readServerInfo(HOST, state.port, leftMs, this.#clock).catch(() => undefined);
      if (info?.name === state.name) return true;
      await new Promise<void>((resolve) => this.#clock.timer(exponentialDelayMs(ANSWER_PAUSE, tries), resolve));
    }
  }

  #serving(state: ServerState, process: ProcessIdentity, adopted: boolean, portLost: number | undefined): OwnServer {
    const watch = new DeathWatch(process, this.#options.spawner);
    return {
      url: `nats://${HOST}:${state.port}`,
      port: state.port,
      process,
      adopted,
      portLost,
      logPath: this.#logPath,
      onDeath: (listener) => watch.onDeath(listener),
      leave: () => watch.end(),
      stop: async () => {
        watch.end();
        await this.#end(process);
        await this.#forget(state);
      },
    };
  }

  async #end(process: ProcessIdentity): Promise<void> {
    if (await endProcess(process, this.#endLimits, this.#clock)) return;
    throw new ShoalError(
      'NATS_SERVER_FAILED',
      `nats-server (process ${process.pid}) did not end within ${this.#endLimits.termMs + this.#endLimits.killMs} ms, SIGKILL included`,
      { details: { pid: process.pid } },
    );
  }

  /** The state goes first, because it names the file. */
  async #forget(state: ServerState): Promise<void> {
    await removeState(this.#options.directory);
    await removeFile(join(this.#options.directory, state.config));
  }
}

class DeathWatch {
  #ended = false;
  #dead = false;
  #listeners: (() => void)[] = [];

  constructor(process: ProcessIdentity, spawner: Spawner) {
    spawner.onExit(process, () => this.#die());
    if (!isAlive(process)) this.#die();
  }

  onDeath(listener: () => void): void {
    if (this.#dead) listener();
    else this.#listeners.push(listener);
  }

  end(): void {
    this.#ended = true;
  }

  #die(): void {
    if (this.#ended) return;
    this.end();
    this.#dead = true;
    for (const listener of this.#listeners) listener();
    this.#listeners = [];
  }
}

function isPortTaken(log: string): boolean {
  return /address already in use/.test(log.slice(log.lastIndexOf('Starting nats-server')));
}

/** A Go program ends so, with the registers of its CPU as its last lines. */
function isOutOfThreads(log: string): boolean {
  return /failed to create new OS thread|Resource temporarily unavailable/.test(log);
}

function lastLines(log: string): string {
  return log.trimEnd().split('\n').slice(-3).join(' | ').slice(-SHOWN_MAX);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (saysGone(error)) return 0;
    throw error;
  }
}
