import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Problem } from './problem.mjs';
import { findProgram } from './programs.mjs';
import { run } from './run.mjs';

const TIMEOUT_MS = 15 * 60_000;

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage */

/**
 * The npm packages: `npm ci`, if what is installed differs from the lock file.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 */
export async function installNpmPackages(checkout) {
  const wanted = lockedPackages(join(checkout.home, 'package-lock.json'));
  if (wanted === undefined) throw new Problem(`There is no package-lock.json in ${checkout.home}; check it out again.`);
  // npm writes this file last: it is there only if an installation came to its end.
  const installed = lockedPackages(join(checkout.home, 'node_modules/.package-lock.json'));
  if (installed !== undefined && agree(wanted, installed)) return;

  if (findProgram('npm', checkout.systemRoot) === undefined) {
    throw new Problem('There is no npm on the PATH. It comes with Node; on Debian it is the package `npm`.');
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Problem(`Shoal is developed on Linux on x86-64; this is ${process.platform} on ${process.arch}.`);
  }
  await run(checkout, {
    label: 'installing the npm packages',
    program: 'npm',
    // Tests and type checks are part of the work, whatever NODE_ENV or an outer npm say. npm would warn that the machine's
    // Node is older than the package wants, which is true of users, and the reason why a checkout brings its own.
    args: ['ci', '--include=dev', '--include=optional', '--loglevel=error'],
    env: { PATH: pathWithout(join(checkout.home, 'node_modules')) },
    logName: 'npm.log',
    timeoutMs: TIMEOUT_MS,
  });
}

/**
 * @param {string} path of a lock file
 * @returns {Map<string, LockedPackage> | undefined} by their folder
 */
function lockedPackages(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  /** @type {{ packages: Record<string, LockedPackage> }} npm's format, version 2 and 3 */
  const lock = JSON.parse(text);
  // The entry without a name is the project itself.
  return new Map(Object.entries(lock.packages).filter(([folder]) => folder !== ''));
}

/**
 * @param {Map<string, LockedPackage>} wanted
 * @param {Map<string, LockedPackage>} installed
 */
function agree(wanted, installed) {
  for (const [folder, want] of wanted) {
    const have = installed.get(folder);
    // npm leaves out optional packages that are made for other systems.
    if (have === undefined && want.optional === true) continue;
    if (have?.version !== want.version || have?.integrity !== want.integrity) return false;
  }
  return [...installed.keys()].every((folder) => wanted.has(folder));
}

/**
 * The PATH without this checkout's programs: npm puts them first, the project's own Node among them, and `npm ci`
 * must not run on the very Node that it is about to replace.
 *
 * @param {string} folder
 */
function pathWithout(folder) {
  const entries = (process.env['PATH'] ?? '').split(delimiter);
  return entries.filter((entry) => !entry.startsWith(folder)).join(delimiter);
}
