import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Entry, writeCpio } from '../cgroup-v2/cpio.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
/** What `fetch-linux.sh` gets; kept for the next test. */
const LINUX = join(CHECKOUT, '.setup/linux');

/** How the service of the guest is reached, and whether its console tells anything. */
export type LinuxVariant = 'frames' | 'http' | 'silent';

/** A Linux guest: Debian's kernel, and an initial ramdisk with busybox and this project's own service. */
export interface LinuxGuest extends Disposable {
  /** Path of the image of a variant; its profile and its ramdisk are beside it. */
  image(variant: LinuxVariant): string;
  /** Of kernel and ramdisk together. */
  readonly bytes: number;
}

const PROBE = { path: '/', intervalMs: 500, timeoutMs: 1_000, failures: 4 };
/** Beside what the shipped profile `linux` says. */
const VARIANTS: Readonly<Record<LinuxVariant, Readonly<Record<string, unknown>>>> = {
  frames: {},
  http: { protocol: 'http', readiness: PROBE },
  silent: {
    protocol: 'http',
    readiness: PROBE,
    liveness: PROBE,
    console: { format: 'none' },
    idempotent: true,
    powerOff: { by: 'exit', ask: 'console' },
  },
};

/**
 * Makes the guest of Debian's packages and the machine's own compiler.
 * @param profile that which ships with Shoal for Linux, as it would stand in a file
 */
export function linuxGuest(profile: Readonly<Record<string, unknown>>): LinuxGuest {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-linux-guest-'));
  const bytes = writeLinuxGuest(folder, profile);
  return {
    image: (variant) => join(folder, variant, 'vmlinuz'),
    bytes,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Writes each variant into a folder of its name. @returns bytes of kernel and ramdisk together */
export function writeLinuxGuest(folder: string, profile: Readonly<Record<string, unknown>>): number {
  execFileSync('sh', [join(CHECKOUT, 'test/cgroup-v2/fetch-linux.sh'), LINUX], { stdio: 'pipe' });
  const ramdisk = gzipSync(ramdiskOf(folder));
  const kernel = join(LINUX, 'vmlinuz');
  for (const [name, changes] of Object.entries(VARIANTS)) {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    copyFileSync(kernel, join(own, 'vmlinuz'));
    writeFileSync(join(own, 'initramfs.cpio.gz'), ramdisk);
    const { commandLine } = profile;
    const silence = name === 'silent' ? { commandLine: `${String(commandLine)} shoal.silent=1` } : {};
    writeFileSync(join(own, 'vmlinuz.shoal.json'), JSON.stringify({ ...profile, ...silence, ...changes }, null, 2));
  }
  return readFileSync(kernel).length + ramdisk.length;
}

function ramdiskOf(folder: string): Buffer {
  const program = programOf();
  const files = new Map<string, Entry>([
    ['init', { kind: 'copy', of: join(CHECKOUT, 'includeos/linux/init.sh'), executable: true }],
    ['bin/busybox', { kind: 'copy', of: join(LINUX, 'busybox'), executable: true }],
    ['bin/shoal-guest', { kind: 'copy', of: program, executable: true }],
  ]);
  const order = join(LINUX, 'modules/order');
  for (const module of ['order', ...readFileSync(order, 'utf8').trim().split('\n')]) {
    files.set(`modules/${module}`, { kind: 'copy', of: join(LINUX, 'modules', module), executable: false });
  }
  for (const empty of ['proc', 'dev', 'sys']) files.set(empty, { kind: 'folder' });
  const archive = join(folder, 'initramfs.cpio');
  writeCpio(archive, files);
  const bytes = readFileSync(archive);
  rmSync(archive);
  return bytes;
}

/** The service of the guest, which runs on this machine as well. Compiled once for as long as nothing that it is made of changes. */
export function programOf(): string {
  const sources = execFileSync('sh', ['-c', 'cat $(find core service include linux -type f | LC_ALL=C sort)'], {
    cwd: join(CHECKOUT, 'includeos'),
    maxBuffer: 64 * 1024 * 1024,
  });
  mkdirSync(LINUX, { recursive: true });
  const kept = join(LINUX, 'shoal-guest');
  const digest = createHash('sha256').update(sources).digest('hex');
  const stamp = `${kept}.stamp`;
  if (existsSync(kept) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return kept;
  const part = `${kept}.${process.pid}`;
  execFileSync('sh', [join(CHECKOUT, 'includeos/linux/build.sh'), part], { stdio: 'pipe' });
  renameSync(part, kept);
  writeFileSync(stamp, digest);
  return kept;
}
