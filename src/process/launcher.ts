import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type CancelTimer, type Clock, msToNext, systemClock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { probe } from './identity.ts';
import type { FromLauncher, ToLauncher } from './launcher-protocol.ts';
import { processLimit, processShortage } from './process-limit.ts';
import type { ProcessExit, ProcessIdentity, Spawner, SpawnRequest } from './spawner.ts';

export interface LauncherOptions {
  readonly clock?: Clock;
  /** How long one spawn may take, the start of the launcher included; default 10000. */
  readonly spawnTimeoutMs?: number;
  /** The interval for probing processes without a launcher: adopted ones, and those whose launcher died; default 250. */
  readonly pollMs?: number;
}

/** A spawner that can say which process does its work. */
export interface Launcher extends Spawner {
  /** Undefined while no launcher process runs: after its death the next spawn starts another. */
  readonly pid: number | undefined;
}

/**
 * Starts processes through a small process of its own (`launcher-main.ts`). If that one dies its children live on: the next spawn starts
 * another launcher, and the children of the dead one are polled.
 */
export function createLauncher(options: LauncherOptions = {}): Launcher {
  return new ForkedLauncher(options);
}

const SPAWN_TIMEOUT_MS = 10_000;
const POLL_MS = 250;
/** Exits without a listener yet; the oldest is dropped first. */
const UNCLAIMED_EXITS_MAX = 1_000;

interface Pending {
  readonly resolve: (identity: ProcessIdentity) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: CancelTimer;
}

interface Watched {
  readonly identity: ProcessIdentity;
  /** The launcher that will report its exit; undefined once that launcher is gone. */
  launcher: ChildProcess | undefined;
  exit: ProcessExit | undefined;
  listeners: ((exit: ProcessExit) => void)[];
}

class ForkedLauncher implements Launcher {
  readonly #clock: Clock;
  readonly #spawnTimeoutMs: number;
  readonly #pollMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #watched = new Map<string, Watched>();
  #process: ChildProcess | undefined;
  #nextId = 1;
  #closed = false;
  #polling: CancelTimer | undefined;

  constructor(options: LauncherOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#spawnTimeoutMs = options.spawnTimeoutMs ?? SPAWN_TIMEOUT_MS;
    this.#pollMs = options.pollMs ?? POLL_MS;
    // Starting it takes longer than a spawn, so it begins now. If it fails, the first spawn tries again.
    this.#running();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  spawn(request: SpawnRequest): Promise<ProcessIdentity> {
    if (this.#closed) return Promise.reject(new ShoalError('LAUNCHER_FAILED', 'the launcher has been closed'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.timer(this.#spawnTimeoutMs, () => this.#timedOut(id));
      this.#pending.set(id, { resolve, reject, cancel });
      try {
        const message: ToLauncher = { kind: 'spawn', id, request };
        this.#running().send(message, (error) => {
          if (error !== null) this.#settle(id, (pending) => pending.reject(launcherFailed(error.message)));
        });
      } catch (error) {
        this.#settle(id, (pending) => pending.reject(launcherFailed(String(error))));
      }
    });
  }

  onExit(identity: ProcessIdentity, listener: (exit: ProcessExit) => void): void {
    const watched = this.#watch(identity, undefined);
    if (watched.exit === undefined) {
      watched.listeners.push(listener);
      if (watched.launcher === undefined) this.#poll();
      return;
    }
    this.#watched.delete(keyOf(identity));
    listener(watched.exit);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#polling?.();
    const child = this.#process;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (child.connected) child.disconnect();
    const cancel = this.#clock.timer(CLOSE_MS, () => child.kill('SIGKILL'));
    await gone;
    cancel();
  }

  #running(): ChildProcess {
    if (this.#process !== undefined) return this.#process;
    // The script stands beside this file: TypeScript in the sources, compiled in the published package.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const script = fileURLToPath(new URL(`./launcher-main.${extension}`, import.meta.url));
    const child = fork(script, [], {
      detached: true,
      // Instead of our own flags. Without this one SIGUSR1 would open Node's debugger.
      execArgv: ['--disable-sigusr1'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (message) => {
      // Only our own script writes to this channel.
      this.#hear(child, message as FromLauncher);
    });
    child.once('error', (error) => this.#lost(child, error.message));
    child.once('exit', (code, signal) => this.#lost(child, `it ended (${signal ?? code})`));
    // An idle launcher does not keep the event loop alive. During a spawn its timer does.
    child.unref();
    child.channel?.unref();
    this.#process = child;
    return child;
  }

  #hear(launcher: ChildProcess, message: FromLauncher): void {
    switch (message.kind) {
      case 'spawned':
        this.#watch(message.identity, this.#living(launcher));
        this.#settle(message.id, (pending) => pending.resolve(message.identity));
        return;
      case 'failed':
        this.#settle(message.id, (pending) => {
          pending.reject(refusal(message));
        });
        return;
      case 'exited':
        this.#ended(this.#watch(message.identity, undefined), message.exit);
        return;
      case 'unwatched':
        this.#watch(message.identity, undefined).launcher = undefined;
        this.#poll();
        return;
    }
  }

  /** A message of a launcher may arrive after its end; then it will report nothing more. */
  #living(launcher: ChildProcess): ChildProcess | undefined {
    if (launcher === this.#process) return launcher;
    this.#poll();
    return undefined;
  }

  #watch(identity: ProcessIdentity, launcher: ChildProcess | undefined): Watched {
    const key = keyOf(identity);
    const known = this.#watched.get(key);
    if (known !== undefined) return known;
    const watched: Watched = { identity, launcher, exit: undefined, listeners: [] };
    this.#watched.set(key, watched);
    return watched;
  }

  #ended(watched: Watched, exit: ProcessExit): void {
    const { listeners } = watched;
    watched.exit = exit;
    watched.listeners = [];
    if (listeners.length > 0) this.#watched.delete(keyOf(watched.identity));
    else this.#forgetUnclaimed();
    for (const listener of listeners) listener(exit);
  }

  #forgetUnclaimed(): void {
    if (this.#watched.size <= UNCLAIMED_EXITS_MAX) return;
    for (const [key, { exit }] of this.#watched) {
      if (exit === undefined) continue;
      this.#watched.delete(key);
      return;
    }
  }

  #timedOut(id: number): void {
    const why = `no answer within ${this.#spawnTimeoutMs} ms`;
    // A launcher that hangs must not obey later, because the caller is told that nothing was started.
    const child = this.#process;
    if (child !== undefined) {
      this.#lost(child, why);
      child.kill('SIGKILL');
    }
    this.#settle(id, (pending) => pending.reject(launcherFailed(why)));
  }

  #lost(child: ChildProcess, why: string): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    for (const id of [...this.#pending.keys()]) this.#settle(id, (pending) => pending.reject(launcherFailed(why)));
    for (const watched of this.#watched.values()) {
      if (watched.launcher === child) watched.launcher = undefined;
    }
    this.#poll();
  }

  #settle(id: number, finish: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.cancel();
    finish(pending);
  }

  /** Polls the processes that no launcher watches. Their exit codes are unknown. */
  #poll(): void {
    if (this.#polling !== undefined || this.#closed) return;
    const look = (): void => {
      this.#polling = undefined;
      for (const watched of [...this.#watched.values()]) {
        if (watched.launcher !== undefined || watched.exit !== undefined) continue;
        if (probe(watched.identity) !== 'gone') continue;
        this.#ended(watched, { exitCode: null, signal: null });
      }
      const left = [...this.#watched.values()].some(
        ({ launcher, exit }) => launcher === undefined && exit === undefined,
      );
      if (left) later();
    };
    const later = (): void => {
      this.#polling = this.#clock.timer(msToNext(this.#clock.monotonic(), this.#pollMs), look);
    };
    later();
  }
}

/** How long the launcher may take to end before it is killed. */
const CLOSE_MS = 2_000;

function keyOf(identity: ProcessIdentity): string {
  return `${identity.bootId}:${identity.pid}:${identity.startTicks}`;
}

/** A program that cannot be started keeps the system's code, such as ENOENT. */
function refusal({ code, message }: { readonly code: string; readonly message: string }): Error {
  if (code === 'EAGAIN') return processLimit(`No program can be started (${message})`);
  return Object.assign(new Error(message), { code });
}

function launcherFailed(why: string): ShoalError {
  const what = 'The launcher process cannot start programs';
  const shortage = processShortage();
  if (shortage !== undefined) return processLimit(`${what} (${why})`, shortage);
  return new ShoalError('LAUNCHER_FAILED', `${what}: ${why}`);
}
