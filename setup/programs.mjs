import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A program that Shoal calls, and the Debian package that brings it.
 *
 * @typedef {{ program: string, debianPackage: string, isOptional?: boolean }} Need isOptional: Shoal works without it, so it is installed where
 *   that is possible and asked for nowhere
 */

/**
 * The virtual machines and the message server; then what includeos/build.sh builds the guest image with.
 *
 * @type {readonly Need[]}
 */
export const NEEDS = [
  { program: 'qemu-system-x86_64', debianPackage: 'qemu-system-x86' },
  { program: 'bwrap', debianPackage: 'bubblewrap', isOptional: true },
  { program: 'nats-server', debianPackage: 'nats-server' },
  { program: 'gcc', debianPackage: 'gcc' },
  { program: 'g++', debianPackage: 'g++' },
  { program: 'ld', debianPackage: 'binutils' },
  { program: 'tar', debianPackage: 'tar' },
  { program: 'xz', debianPackage: 'xz-utils' },
];

/**
 * What builds the engine of services in TypeScript, and services in WebAssembly.
 *
 * @type {readonly Need[]}
 */
export const ENGINE_NEEDS = [{ program: 'wasm2c', debianPackage: 'wabt' }];

/**
 * What only tests call: tmux is the terminal that the dashboard is driven in.
 *
 * @type {readonly Need[]}
 */
export const TEST_NEEDS = [{ program: 'tmux', debianPackage: 'tmux' }];

/**
 * Where a program is, if it is on this machine. Debian keeps servers in /usr/sbin, which is not on the PATH of
 * ordinary users.
 *
 * @param {string} name
 * @param {string} systemRoot
 * @returns {string | undefined}
 */
export function findProgram(name, systemRoot) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(systemRoot, 'usr/sbin')];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
