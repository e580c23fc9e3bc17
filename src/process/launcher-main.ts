/**
 * The launcher process. It does all spawning of its host, because spawning blocks an event loop (35-52 ms from a large process, 2 ms
 * from one as small as this), and because a child of a worker thread that dies stays a zombie. It imports next to nothing, to stay small.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, type FSWatcher, openSync, readFileSync, watch } from 'node:fs';
import { constants } from 'node:os';
import { identify, identifyChild, isAlive } from './identity.ts';
import type { FromLauncher, ToLauncher } from './launcher-protocol.ts';
import type { ProcessExit, ProcessIdentity, SpawnRequest } from './spawner.ts';

const POLL_MS = 5;

// The parent is gone. The children go on in sessions of their own.
process.on('disconnect', () => process.exit(0));
// The terminal's signals do not reach this session. Signals to a whole process tree do.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('message', (message: ToLauncher) => launch(message.id, message.request));

function launch(id: number, request: SpawnRequest): void {
  const { stderrPath, infoPath } = request;
  const opened: number[] = [];
  const open = (path: string, flags: string): number => {
    const descriptor = openSync(path, flags, 0o600);
    opened.push(descriptor);
    return descriptor;
  };
  try {
    launchWith(id, request, open(stderrPath, 'a'), infoPath === undefined ? undefined : open(infoPath, 'w'));
  } catch (error) {
    fail(id, error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function launchWith(id: number, request: SpawnRequest, stderr: number, info: number | undefined): void {
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: request.env ?? plainEnvironment(),
    detached: true,
    stdio: ['ignore', stderr, stderr, ...(info === undefined ? [] : [info])],
  });
  // Read before Node can have waited for the child: until then the pid is this child's.
  const identity = child.pid === undefined ? undefined : identityOf(child, child.pid);
  child.once('error', (error) => {
    if (identity === undefined) fail(id, error);
  });
  if (identity === undefined) return;
  if (request.infoPath !== undefined) return void watchWrapped(id, child, identity, request.infoPath);
  child.once('exit', (exitCode, signal) => send({ kind: 'exited', identity, exit: { exitCode, signal } }));
  send({ kind: 'spawned', id, identity });
}

/** @param wrapper the identity of the child, which tells of the program that it starts */
async function watchWrapped(
  id: number,
  child: ChildProcess,
  wrapper: ProcessIdentity,
  infoPath: string,
): Promise<void> {
  const ended = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  // A wrapper that fails has started nothing: its own end is then the end of the process.
  const identity = (await toldIn(infoPath, ended)) ?? wrapper;
  send({ kind: 'spawned', id, identity });
  const exit = await ended;
  const isOther = identity !== wrapper;
  // A wrapper that was killed does not take the program with it, and tells nothing of its end.
  if (isOther && isAlive(identity)) send({ kind: 'unwatched', identity });
  else if (isOther && exit.signal !== null) send({ kind: 'exited', identity, exit: { exitCode: null, signal: null } });
  else send({ kind: 'exited', identity, exit: exitOfWrapped(exit) });
}

/** The program of a wrapper, as soon as it has told of it; undefined if it ends before, or the program has ended already. */
function toldIn(infoPath: string, ended: Promise<unknown>): Promise<ProcessIdentity | undefined> {
  return new Promise((resolve) => {
    const over = (identity: ProcessIdentity | undefined): void => {
      stop();
      resolve(identity);
    };
    const look = (): void => {
      const pid = pidIn(infoPath);
      if (pid !== undefined) over(identityIfThere(pid));
    };
    // From here on no change is missed: those before are seen by the first look.
    const stop = onChange(infoPath, look);
    void ended.then(() => over(undefined));
    look();
  });
}

/** Looks in intervals where nothing can be watched: a user has only so many inotify instances, and editors take many. */
function onChange(path: string, look: () => void): () => void {
  let polling: NodeJS.Timeout | undefined;
  const poll = (): void => {
    polling ??= setInterval(look, POLL_MS);
  };
  let changes: FSWatcher | undefined;
  try {
    changes = watch(path, look);
    changes.once('error', poll);
  } catch {
    poll();
  }
  return () => {
    changes?.close();
    clearInterval(polling);
  };
}

/** Undefined while it is not there. */
function pidIn(infoPath: string): number | undefined {
  try {
    // With what follows the figure, so that it is whole.
    const pid = /"child-pid": (\d+)\D/.exec(readFileSync(infoPath, 'latin1'))?.[1];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
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
