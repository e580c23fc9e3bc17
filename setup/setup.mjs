/**
 * Brings a fresh clone to where `npm start` and `npm test` work: installs what is missing, once, and is quick when
 * nothing is. Runs on the Node that the machine has (20 or newer) and needs nothing else: no dependency, no TypeScript.
 *
 *   node setup/setup.mjs                     everything but linux
 *   node setup/setup.mjs --only npm,image    some of the steps: system, npm, image, engine (which runs services in TypeScript), linux (a kernel
 *                                            that one long test boots); and tests, with which system brings what only tests need
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckout } from './checkout.mjs';
import { buildEngine, buildImage } from './image.mjs';
import { fetchLinux } from './linux.mjs';
import { withLock } from './lock.mjs';
import { installNpmPackages } from './npm.mjs';
import { Interrupted, Problem } from './problem.mjs';
import { ENGINE_NEEDS, NEEDS, TEST_NEEDS } from './programs.mjs';
import { say } from './progress.mjs';
import { installSystemPackages } from './system.mjs';

/**
 * In the order in which they need each other.
 *
 * @type {ReadonlyMap<string, (checkout: import('./checkout.mjs').Checkout, wanted: ReadonlySet<string>) => Promise<void>>}
 */
const STEPS = new Map([
  ['system', installPrograms],
  ['npm', installNpmPackages],
  ['image', buildImage],
  ['engine', buildEngine],
  ['linux', fetchLinux],
]);
const NAMES = [...STEPS.keys(), 'tests'];
const DEFAULT_NAMES = NAMES.filter((name) => name !== 'linux');

// From here on Ctrl-C ends what is running, and then us, so that nothing stays behind half done.
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interruption.abort());

try {
  const wanted = wantedSteps(process.argv.slice(2));
  requireNode(20);
  const checkout = openCheckout(dirname(dirname(fileURLToPath(import.meta.url))), interruption.signal);
  await withLock(checkout, async () => {
    for (const [name, step] of STEPS) if (wanted.has(name)) await step(checkout, wanted);
    // Whatever would come next (`npm start`: Shoal itself) is not to start either.
    if (checkout.interrupted.aborted) throw new Interrupted('interrupted');
  });
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  say(error.message);
  process.exitCode = 1;
}

/**
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {ReadonlySet<string>} wanted
 */
function installPrograms(checkout, wanted) {
  const more = [...(wanted.has('engine') ? ENGINE_NEEDS : []), ...(wanted.has('tests') ? TEST_NEEDS : [])];
  return installSystemPackages(checkout, [...NEEDS, ...more]);
}

/** @param {readonly string[]} args */
function wantedSteps(args) {
  if (args.length === 0) return new Set(DEFAULT_NAMES);
  const names = args[0] === '--only' && args.length === 2 ? (args[1]?.split(',') ?? []) : [];
  if (names.length > 0 && names.every((name) => NAMES.includes(name))) return new Set(names);
  throw new Problem(`Expected nothing or \`--only ${NAMES.join(',')}\` (some of them), got \`${args.join(' ')}\``);
}

/** @param {number} majorMin */
function requireNode(majorMin) {
  if (Number.parseInt(process.versions.node, 10) >= majorMin) return;
  throw new Problem(`The set-up needs Node ${majorMin} or newer, and this is ${process.version}.`);
}
