import { execFileSync } from 'node:child_process';
import { Problem } from './problem.mjs';
import { findProgram } from './programs.mjs';
import { attempt, run } from './run.mjs';
import { withoutStartingServices } from './services.mjs';

const UPDATE_TIMEOUT_MS = 5 * 60_000;
const INSTALL_TIMEOUT_MS = 20 * 60_000;

/**
 * The programs of the system: installs the missing ones with apt-get if that is possible here, else says in one message
 * what to do.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {readonly import('./programs.mjs').Need[]} needs
 */
export async function installSystemPackages(checkout, needs) {
  const missing = missingOf(needs, checkout);
  if (missing.length === 0) return;
  const required = missing.filter((need) => need.isOptional !== true);
  const hasApt = findProgram('apt-get', checkout.systemRoot) !== undefined;
  if (!hasApt || !isRoot()) {
    if (required.length === 0) return;
    throw new Problem(hasApt ? withoutRights(checkout, missing) : withoutApt(required));
  }

  const packages = missing.map((need) => need.debianPackage);
  await withoutStartingServices(checkout, () => aptInstall(checkout, packages));
  if (packages.includes('nats-server')) await keepFromStartingAtBoot(checkout, 'nats-server.service');

  const still = missingOf(needs, checkout).map((need) => need.program);
  if (still.length > 0)
    throw new Problem(`apt-get installed ${packages.join(' ')}, but there is still no ${still.join(', ')}`);
}

/**
 * @param {readonly import('./programs.mjs').Need[]} needs
 * @param {import('./checkout.mjs').Checkout} checkout
 */
function missingOf(needs, checkout) {
  return needs.filter((need) => findProgram(need.program, checkout.systemRoot) === undefined);
}

/** Asked of `id`, as a script would, so that a test can answer. */
function isRoot() {
  return execFileSync('id', ['-u'], { encoding: 'utf8', timeout: 10_000 }).trim() === '0';
}

/**
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {readonly string[]} packages
 */
async function aptInstall(checkout, packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  // One unreachable source of many fails the update; what is needed may be there all the same.
  await attempt(checkout, {
    label: 'reading the package lists',
    program: 'apt-get',
    args: ['update'],
    env,
    logName: 'apt-update.log',
    timeoutMs: UPDATE_TIMEOUT_MS,
  });
  await run(checkout, {
    label: `installing ${packages.join(', ')}`,
    program: 'apt-get',
    args: ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...packages],
    env,
    logName: 'apt-install.log',
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
}

/**
 * Debian enables the service of a server that it installs. We brought the package, so we leave the machine as it was.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {string} service
 */
async function keepFromStartingAtBoot(checkout, service) {
  if (findProgram('systemctl', checkout.systemRoot) === undefined) return;
  await attempt(checkout, {
    label: `leaving ${service} disabled`,
    program: 'systemctl',
    args: ['disable', service],
    logName: 'systemctl.log',
    timeoutMs: 60_000,
  });
}

/** @param {readonly import('./programs.mjs').Need[]} missing */
function withoutApt(missing) {
  const programs = missing.map((need) => need.program).join(', ');
  return `These programs are missing: ${programs}.\nThere is no apt-get here: install them in this system's own way, then try again.`;
}

/**
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {readonly import('./programs.mjs').Need[]} missing
 */
function withoutRights(checkout, missing) {
  const programs = missing.map((need) => need.program).join(', ');
  const packages = missing.map((need) => need.debianPackage).join(' ');
  const apt = `apt-get update && apt-get install -y --no-install-recommends ${packages}`;
  const command = findProgram('sudo', checkout.systemRoot) ? `sudo sh -c '${apt}'` : `su -c '${apt}'`;
  return `These programs are missing: ${programs}.\nInstalling them takes root's rights. Run this, then try again:\n\n  ${command}\n`;
}
