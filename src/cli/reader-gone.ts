import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';

const STANDARD_OUTPUT = 1;

/**
 * Calls once when the reader of standard output has gone, within a second, although nothing is written. The kernel tells that by poll(2),
 * which Node has no call for; tail(1) of coreutils ends by SIGPIPE when it sees it. Without such a tail the next write finds out.
 * @returns a function that ends the watch
 */
export function onReaderGone(listener: () => void): () => void {
  if (!fstatSync(STANDARD_OUTPUT).isFIFO()) return () => undefined;
  // It ends by itself with this process, however that ends.
  const args = ['-f', `--pid=${process.pid}`, '/dev/null'];
  const watcher = spawn('tail', args, { stdio: ['ignore', STANDARD_OUTPUT, 'ignore'] });
  watcher.once('error', () => undefined);
  watcher.once('exit', (_code, signal) => {
    if (signal === 'SIGPIPE') listener();
  });
  watcher.unref();
  return () => void watcher.kill();
}
