/**
 * The launcher process. It does all spawning of its host, because spawning blocks an event loop (35-52 ms from a large process, 2 ms
 * from one as small as this), and because a child of a worker thread that dies stays a zombie. It imports next to nothing, to stay small.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { identify, identifyChild, isAlive } from './identity.ts';
import type { FromLauncher, ToLauncher } from './launcher-protocol.ts';
import type { ProcessExit, ProcessIdentity, SpawnRequest } from './spawner.ts';

// The parent is gone. The children go on in sessions of their own.
process.on('disconnect', () => process.exit(0));
// The terminal's signals do not reach this session. Signals to a whole process tree do.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('message', (message: ToLauncher) => launch(message.id, message.request));

function launch(id: number, request: SpawnRequest): void {
  try {
    const stderr = openSync(request.stderrPath, 'a', 0o600);
    try {
      launchWith(id, request, stderr);
    } finally {
      closeSync(stderr);
    }
  } catch (error) {
    fail(id, error);
  }
}

function launchWith(id: number, request: SpawnRequest, stderr: number): void {
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: request.env ?? plainEnvironment(),
    detached: true,
    stdio: ['ignore', stderr, stderr, ...(request.isWrapper === true ? (['pipe'] as const) : [])],
  });
  // Read before Node can have waited for the child: until then the pid is this child's.
  const identity = child.pid === undefined ? undefined : identityOf(child, child.pid);
  child.once('error', (error) => {
    if (identity === undefined) fail(id, error);
  });
  if (identity === undefined) return;
  if (request.isWrapper === true) return void watchWrapped(id, child, identity);
  child.once('exit', (exitCode, signal) => send({ kind: 'exited', identity, exit: { exitCode, signal } }));
  send({ kind: 'spawned', id, identity });
}

/** @param wrapper the identity of the child, which tells of the program that it starts */
async function watchWrapped(id: number, child: ChildProcess, wrapper: ProcessIdentity): Promise<void> {
  const ended = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  // A wrapper that fails has started nothing: its own end is then the end of the process.
  const identity = (await wrappedBy(child)) ?? wrapper;
  send({ kind: 'spawned', id, identity });
  const exit = await ended;
  // A wrapper that was killed does not take the program with it.
  if (identity !== wrapper && isAlive(identity)) send({ kind: 'unwatched', identity });
  else send({ kind: 'exited', identity, exit: exitOfWrapped(exit) });
}

/** Enough for what the wrapper tells; whatever comes after it is not read. */
const INFO_CHARS_MAX = 4_096;

/** Undefined if the wrapper ends without having started a program, or that has ended already. */
function wrappedBy({ stdio }: ChildProcess): Promise<ProcessIdentity | undefined> {
  const info = stdio[3];
  return new Promise((resolve) => {
    if (!(info instanceof Readable)) return resolve(undefined);
    let text = '';
    const over = (identity: ProcessIdentity | undefined): void => {
      info.destroy();
      resolve(identity);
    };
    info.setEncoding('latin1');
    info.on('data', (chunk: string) => {
      text += chunk;
      // With what follows the figure, so that it is whole.
      const pid = /"child-pid": (\d+)\D/.exec(text)?.[1];
      if (pid !== undefined) over(identityIfThere(Number(pid)));
      else if (text.length > INFO_CHARS_MAX) over(undefined);
    });
    info.once('end', () => over(undefined));
    info.once('error', () => over(undefined));
  });
}

function identityIfThere(pid: number): ProcessIdentity | undefined {
  try {
    return identify(pid);
  } catch {
    return undefined;
  }
}

/** As shells do, the wrapper ends with 128 and the number of the signal that has ended its program. */
function exitOfWrapped({ exitCode, signal }: ProcessExit): ProcessExit {
  const number = (exitCode ?? 0) - 128;
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name === undefined ? { exitCode, signal } : { exitCode: null, signal: name };
}

/** A process that cannot be identified must not go on. */
function identityOf(child: ChildProcess, pid: number): ProcessIdentity {
  try {
    const identity = identifyChild(pid);
    if (identity !== undefined) return identity;
    throw new Error(`the new process ${pid} is not in /proc`);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function fail(id: number, error: unknown): void {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN';
  send({ kind: 'failed', id, code, message: error instanceof Error ? error.message : String(error) });
}

function send(message: FromLauncher): void {
  // Without the callback, a parent that is gone would be an uncaught error. `disconnect` ends this process anyway.
  process.send?.(message, undefined, undefined, () => undefined);
}

function plainEnvironment(): Record<string, string> {
  const { PATH, HOME } = process.env;
  return { LANG: 'C.UTF-8', ...(PATH === undefined ? {} : { PATH }), ...(HOME === undefined ? {} : { HOME }) };
}
