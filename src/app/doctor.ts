import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, messageOf } from '../errors.ts';
import {
  type ImageInfo,
  loadImage,
  readHostFacts,
  readQemuFacts,
  runtimeRoot,
  VM_USERS,
  vmUsers,
  whyUncapped,
} from '../hypervisor/mod.ts';
import { isOnTmpfs } from '../process/mod.ts';
import { findRunning, type RunningFleet } from './data-dir.ts';

/** The result of one check of the machine. */
export interface Check {
  readonly name: string;
  /** `warn`: Shoal works, with the drawback that `found` states. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What the user should do; absent if nothing is to be done. */
  readonly remedy?: string;
}

export interface DoctorOptions {
  /** Path of the guest image. */
  readonly image: string;
  /** Reads it; default: with the profile beside it. @throws if it cannot be used */
  readonly load?: () => Promise<ImageInfo>;
  /** Boots it once; undefined: it is only read. @returns what is wrong with it, and what was found */
  readonly tryOut?: (() => Promise<{ readonly wrong: readonly string[]; readonly found: string }>) | undefined;
  readonly dataDir: string;
  /** The known choice of `--accel auto` for this host and image. */
  readonly accelerator: string | undefined;
}

/** Checks the machine and changes nothing. */
export async function examine(options: DoctorOptions): Promise<readonly Check[]> {
  const programs = await Promise.all([
    program('QEMU', 'qemu-system-x86_64', ['--version'], 'fail', 'qemu-system-x86'),
    program(
      'nats-server',
      'nats-server',
      ['--version'],
      'warn',
      'nats-server',
      'needed unless --nats names a running one',
    ),
    program('flock', 'flock', ['--version'], 'fail', 'util-linux'),
    program('gcc', 'gcc', ['--version'], 'warn', 'gcc g++', 'needed to build the guest image from source'),
  ]);
  return [
    node(),
    ...programs,
    await image(options, findRunning(options.dataDir)?.image),
    await kvm(),
    accelerator(options.accelerator),
    await smallQemu(),
    memory(),
    rights(),
    caps(),
    runDirectories(),
    data(options.dataDir),
  ];
}

const run = promisify(execFile);

const NODE_MAJOR_MIN = 22;
const NODE_MINOR_MIN = 18;

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const found = `v${process.versions.node}`;
  if (major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN))
    return { name: 'Node', state: 'ok', found };
  return { name: 'Node', state: 'fail', found, remedy: `install Node ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or later` };
}

async function program(
  name: string,
  command: string,
  args: readonly string[],
  missing: 'warn' | 'fail',
  packages: string,
  why = '',
): Promise<Check> {
  // Debian keeps servers where an ordinary user's PATH does not look.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
  try {
    const { stdout, stderr } = await run(command, [...args], { env, timeout: 10_000 });
    return { name, state: 'ok', found: (stdout + stderr).split('\n')[0] ?? '' };
  } catch (error) {
    const found = codeOf(error) === 'ENOENT' ? 'not found' : `does not run (${codeOf(error) ?? String(error)})`;
    return {
      name,
      state: missing,
      found: why === '' ? found : `${found}; ${why}`,
      remedy: `apt-get install ${packages}`,
    };
  }
}

async function image(
  { image: path, load = () => loadImage(path), tryOut }: DoctorOptions,
  running: RunningFleet['image'],
): Promise<Check> {
  const name = 'guest image';
  try {
    const { digest } = await load();
    const { wrong = [], found = path } = (await tryOut?.()) ?? {};
    if (wrong.length > 0) {
      const remedy = `\`shoal image check ${path}\` shows each point; docs/images.md says what it means`;
      return { name, state: 'fail', found: `${path} does not keep the guest contract: ${wrong.join('; ')}`, remedy };
    }
    if (running?.path !== path || running.digest === digest) return { name, state: 'ok', found };
    return {
      name,
      state: 'warn',
      found: `${path} has changed since the Shoal that runs was started with it; its VMs run the copy of then`,
      remedy: 'end it and start it again to run the new one',
    };
  } catch (error) {
    const found = messageOf(error);
    return { name, state: 'fail', found, remedy: 'npm run image, or name one with --image' };
  }
}

async function kvm(): Promise<Check> {
  const name = '/dev/kvm';
  const { kvmUnusable, nested } = await readHostFacts();
  if (kvmUnusable === undefined) {
    return { name, state: 'ok', found: nested ? 'usable, nested inside another hypervisor' : 'usable' };
  }
  const found = `${kvmUnusable}; QEMU emulates (tcg), which is slower and no security boundary`;
  const remedy = existsSync(name)
    ? 'add the user to the group kvm'
    : 'switch on virtualisation in the firmware, or load kvm_intel or kvm_amd';
  return { name, state: 'warn', found, remedy };
}

function accelerator(chosen: string | undefined): Check {
  if (chosen === undefined)
    return {
      name: 'accelerator',
      state: 'ok',
      found: 'auto has not been asked on this host yet; the first `up` measures',
    };
  return { name: 'accelerator', state: 'ok', found: chosen };
}

/** Only under KVM, and without a network: the check before this one speaks of KVM. */
async function smallQemu(): Promise<Check> {
  const name = 'small QEMU';
  const { small, obstacle } = await readQemuFacts();
  if (small === undefined) {
    const found =
      'not found: VMs without a network run on the full one, which takes twice the memory and time to start';
    return { name, state: 'warn', found, remedy: 'apt-get install qemu-system-x86' };
  }
  if (obstacle === undefined) {
    return { name, state: 'ok', found: `${small}, confined by bubblewrap; \`up --network none\` takes it under KVM` };
  }
  const found = `VMs without a network run on the full one, which takes twice the memory and time to start: ${obstacle.why}`;
  return { name, state: 'warn', found, remedy: obstacle.remedy };
}

const MEMORY_MIN_BYTES = 512 * 1024 * 1024;

function memory(): Check {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  const bytes = Number(kib ?? 0) * 1024;
  const found = `${(bytes / 2 ** 30).toFixed(1)} GiB available`;
  if (bytes >= MEMORY_MIN_BYTES) return { name: 'memory', state: 'ok', found };
  return { name: 'memory', state: 'warn', found, remedy: 'free some, or lower host_memory_reserve_bytes' };
}

function rights(): Check {
  const name = 'rights';
  switch (vmUsers()) {
    case 'own':
      return { name, state: 'ok', found: 'root: each VM runs under a user id of its own' };
    case 'user':
      return { name, state: 'ok', found: 'not root: all VMs run under this user, without the right to gain any' };
    case 'root':
      return {
        name,
        state: 'warn',
        found:
          'root of a user namespace without the user ids of VMs: all VMs run under this user, without capabilities',
        remedy: `map the user and group ids ${VM_USERS.first} to ${VM_USERS.last} into the namespace, so that each VM gets one of its own`,
      };
  }
}

function caps(): Check {
  const why = whyUncapped();
  if (why === undefined) {
    return {
      name: 'caps',
      state: 'ok',
      found: 'cgroup v2 holds each VM at its memory and 96 MiB, and at one and a half cores',
    };
  }
  return {
    name: 'caps',
    state: 'warn',
    found: `VMs run without caps on memory and CPU: ${why}`,
    remedy: 'run as root on a host whose cgroup v2 hands on cpu and memory, as systemd does',
  };
}

/** The start of a VM writes nine files. On ext4 thirty VMs at once start a tenth more slowly than in memory. */
function runDirectories(): Check {
  const name = 'run directories';
  try {
    const root = runtimeRoot();
    if (!isReadable(nearestFolder(root), constants.R_OK | constants.W_OK | constants.X_OK)) {
      const remedy = 'set SHOAL_RUNTIME_DIR to a short directory of your own, such as /dev/shm/shoal';
      return { name, state: 'fail', found: `${root} is not writable`, remedy };
    }
    if (isOnTmpfs(root)) return { name, state: 'ok', found: `${root}, in memory` };
    return {
      name,
      state: 'warn',
      found: `${root} is on no tmpfs: VMs start more slowly`,
      remedy:
        'mount a tmpfs on /run, or one of 256 MiB or more on /dev/shm, or set SHOAL_RUNTIME_DIR to a short directory on one',
    };
  } catch (error) {
    // The message of `runtimeRoot` has the remedy.
    return { name, state: 'fail', found: messageOf(error) };
  }
}

/** The folder itself, or that in which it would be made. */
function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path));
}

function data(directory: string): Check {
  if (!existsSync(directory))
    return { name: 'data directory', state: 'ok', found: `${directory} (made by the first \`up\`)` };
  if (isReadable(directory, constants.R_OK | constants.W_OK))
    return { name: 'data directory', state: 'ok', found: directory };
  return {
    name: 'data directory',
    state: 'fail',
    found: `${directory} is not writable`,
    remedy: 'change its owner, or name another with --data',
  };
}

function isReadable(path: string, mode = constants.R_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
