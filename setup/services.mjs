import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SIGNATURE = '# written by the set-up of Shoal, which removes it again';

/**
 * Does something while Debian's packages may not start the servers they bring: Shoal starts a nats-server of its
 * own, and a second one would only hold the usual port. Debian asks the file policy-rc.d; 101 is its "no". A file that the
 * machine has already is left as it is; one that an interrupted set-up left behind is ours to remove.
 *
 * @template T
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withoutStartingServices(checkout, work) {
  const path = join(checkout.systemRoot, 'usr/sbin/policy-rc.d');
  if (existsSync(path) && !readFileSync(path, 'utf8').includes(SIGNATURE)) return work();

  writeFileSync(path, `#!/bin/sh\n${SIGNATURE}\nexit 101\n`, { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
