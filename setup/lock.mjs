import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted, Problem } from './problem.mjs';
import { say } from './progress.mjs';

const WAIT_MS_MAX = 30 * 60_000;
const POLL_MS = 200;

/**
 * Does something while no other set-up works in the same checkout (somebody types `npm start` in one terminal and `npm test`
 * in another).
 *
 * The kernel locks the file `.setup/lock` for one process and releases it when that process ends, however it ends, so that there
 * is no stale lock. The lock also holds against a set-up in a container that shares the checkout.
 *
 * @template T
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(checkout, work) {
  const release = await acquire(checkout, join(checkout.notes, 'lock'));
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {string} path
 */
async function acquire(checkout, path) {
  const startedMs = Date.now();
  for (let attempt = 1; Date.now() - startedMs < WAIT_MS_MAX; attempt++) {
    const release = tryAcquire(path);
    if (release !== undefined) return release;
    if (attempt === 1) say('waiting for another set-up in this checkout to end');
    if (checkout.interrupted.aborted) throw new Interrupted('interrupted');
    await pause(POLL_MS);
  }
  throw new Problem(
    `Another set-up has been running in this checkout for ${WAIT_MS_MAX / 60_000} minutes; end it and try again.`,
  );
}

/** What flock(1) exits with if another process has the lock. */
const CONFLICT = 1;

/**
 * Node cannot lock a file. flock(1) locks the open file that it inherits, and the lock stays with that file while it is open here.
 *
 * @param {string} path
 * @returns {(() => void) | undefined} what releases the lock, if it was free
 */
function tryAcquire(path) {
  const file = openSync(path, 'a');
  const { status, error, stderr } = spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', file] });
  if (status === 0) return () => closeSync(file);
  closeSync(file);
  if (status === CONFLICT) return undefined;
  const why = error?.message ?? `${stderr}`.trim();
  throw new Problem(`${path} cannot be locked (${why}). It takes the program flock, of Debian's package util-linux.`);
}
