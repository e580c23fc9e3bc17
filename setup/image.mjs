import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from './problem.mjs';
import { run } from './run.mjs';

const TIMEOUT_MS = 15 * 60_000;
const SCRIPT = 'includeos/build.sh';

/** @typedef {{ label: string, args: readonly string[], images: readonly string[], name: string }} Target what the build script makes in one call */

/** @type {Target} */
const GUEST = {
  label: 'building the guest image',
  args: [],
  images: ['shoal-guest.elf', 'shoal-guest-test.elf', 'shoal-firmware.bin'],
  name: 'image',
};

/** @type {Target} */
const ENGINE = {
  label: 'building the engine for services in TypeScript',
  args: ['--variant', 'engine'],
  images: ['shoal-engine.elf'],
  name: 'engine',
};

/** @param {import('./checkout.mjs').Checkout} checkout */
export function buildImage(checkout) {
  return build(checkout, GUEST);
}

/**
 * The image that runs services in TypeScript. It takes two minutes: only who runs such a service, or tests that, needs it.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 */
export function buildEngine(checkout) {
  return build(checkout, ENGINE);
}

/**
 * An image: built when its sources, or the built files themselves, are not those of the last build from here.
 *
 * The build script knows by itself, object by object, what has to be compiled again; it takes most of a second to find out
 * that nothing has, which is more than a second `npm start` may cost. It is also the one to ask (`sh includeos/build.sh`)
 * after an upgrade of the compiler, which does not show here.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {Target} target
 */
async function build(checkout, { label, args, images, name }) {
  const folder = join(checkout.home, 'includeos');
  const [image = ''] = images.map((file) => join(folder, 'build', file));
  const stamp = join(checkout.notes, `${name}.stamp`);
  if (!existsSync(join(checkout.home, SCRIPT))) {
    throw new Problem(`There is no ${SCRIPT} in ${checkout.home}, so no image can be built; check it out again.`);
  }
  // Taken before the build: what is edited meanwhile is to be built the next time.
  const sources = digest(sourcesIn(folder));
  const built = () => digest(images.map((file) => join(folder, 'build', file)).filter((path) => existsSync(path)));
  if (existsSync(image) && textOf(stamp) === `${sources} ${built()}`) {
    // Who looks at times alone sees that it is current.
    utimesSync(stamp, new Date(), new Date());
    return;
  }

  await run(checkout, {
    label,
    program: 'sh',
    args: [SCRIPT, ...args],
    logName: `${name}.log`,
    timeoutMs: TIMEOUT_MS,
  });
  if (!existsSync(image)) throw new Problem(`${SCRIPT} succeeded, but has not made ${image}`);
  writeFileSync(stamp, `${sources} ${built()}`);
}

/** @param {string} folder */
function sourcesIn(folder) {
  const entries = readdirSync(folder).filter((name) => name !== 'build');
  return entries.flatMap((name) => filesBelow(join(folder, name)));
}

/**
 * @param {string} path of a file or a folder
 * @returns {string[]}
 */
function filesBelow(path) {
  return statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesBelow(join(path, name))) : [path];
}

/** @param {readonly string[]} paths */
function digest(paths) {
  const hash = createHash('sha256');
  // Names and lengths go in too, so that text that moves from one file to another does not go unseen.
  for (const path of [...paths].sort()) {
    const content = readFileSync(path);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** @param {string} path */
function textOf(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
