import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { identify, isAlive, type ProcessExit, type ProcessIdentity, type Spawner } from '../../process/mod.ts';

/** A spawner for tests that starts processes as its own children, without a launcher process. */
export function directSpawner(): Spawner {
  const exits = new Map<number, Promise<ProcessExit>>();
  return {
    spawn: async ({ command, args, cwd, stderrPath }) => {
      const log = openSync(stderrPath, 'a');
      const child = spawn(command, [...args], { cwd, detached: true, stdio: ['ignore', log, log] });
      closeSync(log);
      const exited = new Promise<ProcessExit>((resolve) => {
        child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.unref();
      const pid = child.pid ?? 0;
      exits.set(pid, exited);
      return identify(pid) ?? { pid, startTicks: 0, bootId: '' };
    },
    onExit: (identity: ProcessIdentity, listener) => {
      void exits.get(identity.pid)?.then(listener);
      if (!exits.has(identity.pid) && !isAlive(identity)) listener({ exitCode: null, signal: null });
    },
    close: async () => undefined,
  };
}
