import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted, Problem } from './problem.mjs';
import { say } from './progress.mjs';

const WAIT_MS_MAX = 30 * 60_000;
const POLL_MS = 200;

/**
 * Does something while no other set-up works in the same checkout (somebody types `npm start` in one terminal and `npm test`
 * in another).
 *
 * The lock is a name in Linux's abstract socket namespace, not a file: the kernel gives it to one process and
 * takes it back when that process ends, however it ends. So there is no stale lock to tell from a live one.
 *
 * @template T
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(checkout, work) {
  const digest = createHash('sha256').update(realpathSync(checkout.home)).digest('hex');
  const release = await acquire(checkout, `\0shoal-setup-${digest.slice(0, 32)}`);
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {string} name
 */
async function acquire(checkout, name) {
  const startedMs = Date.now();
  for (let attempt = 1; Date.now() - startedMs < WAIT_MS_MAX; attempt++) {
    const release = await tryAcquire(name);
    if (release !== undefined) return release;
    if (attempt === 1) say('waiting for another set-up in this checkout to end');
    if (checkout.interrupted.aborted) throw new Interrupted('interrupted');
    await pause(POLL_MS);
  }
  throw new Problem(
    `Another set-up has been running in this checkout for ${WAIT_MS_MAX / 60_000} minutes; end it and try again.`,
  );
}

/**
 * @param {string} name
 * @returns {Promise<(() => void) | undefined>} what gives the name back, if it was free
 */
function tryAcquire(name) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      'code' in error && error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ path: name }, () => resolve(() => server.close()));
  });
}
