import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from './run.mjs';

const TIMEOUT_MS = 10 * 60_000;
const SCRIPT = 'test/cgroup-v2/fetch-linux.sh';

/**
 * The Linux that the tests of caps and of the Linux guest boot, kept in `.setup/linux`. Where it cannot be got that is said, and the other tests run: those
 * that need it fail, and say how to get it.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 */
export async function fetchLinux(checkout) {
  const folder = join(checkout.notes, 'linux');
  if (existsSync(join(folder, 'modules/order'))) return;
  await attempt(checkout, {
    label: "fetching Debian's kernel for a test",
    program: 'sh',
    args: [SCRIPT, folder],
    logName: 'linux.log',
    timeoutMs: TIMEOUT_MS,
  });
}
