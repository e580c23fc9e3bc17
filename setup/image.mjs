import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from './problem.mjs';
import { run } from './run.mjs';

const TIMEOUT_MS = 15 * 60_000;

/**
 * The guest image. Whether it is still that of its sources is the build script's own business, and quickly answered.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 */
export async function buildImage(checkout) {
  const script = 'includeos/build.sh';
  if (!existsSync(join(checkout.home, script))) {
    throw new Problem(`There is no ${script} in ${checkout.home}, so no guest image can be built; check it out again.`);
  }
  await run(checkout, {
    label: 'building the guest image',
    program: 'sh',
    args: [script],
    logName: 'image.log',
    timeoutMs: TIMEOUT_MS,
  });
}
