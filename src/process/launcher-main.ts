/**
 * The launcher process. It does all spawning of its host, because spawning blocks an event loop (35-52 ms from a large process, 2 ms
 * from one as small as this), and because a child of a worker thread that dies stays a zombie. It imports next to nothing, to stay small.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { identifyChild } from './identity.ts';
import type { FromLauncher, ToLauncher } from './launcher-protocol.ts';
import type { ProcessIdentity, SpawnRequest } from './spawner.ts';

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
    stdio: ['ignore', stderr, stderr],
  });
  // Read before Node can have waited for the child: until then the pid is this child's.
  const identity = child.pid === undefined ? undefined : identityOf(child, child.pid);
  child.once('error', (error) => {
    if (identity === undefined) fail(id, error);
  });
  if (identity === undefined) return;
  child.once('exit', (exitCode, signal) => send({ kind: 'exited', identity, exit: { exitCode, signal } }));
  send({ kind: 'spawned', id, identity });
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
