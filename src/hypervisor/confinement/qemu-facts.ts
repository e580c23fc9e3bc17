import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import { ShoalError } from '../../errors.ts';
import { findProgram } from '../qemu/host-tools.ts';
import { BWRAP, bwrapArgs, FILTER_FD } from './bwrap.ts';
import type { QemuFacts } from './choose-qemu.ts';
import { filesOfQemu, realProgram } from './program-files.ts';
import { qemuFilter } from './qemu-syscalls.ts';
import { type VmUsers, vmUsers } from './vm-users.ts';

/** Of Debian's package qemu-system-x86. */
export const SMALL_QEMU = 'qemu-system-x86_64-microvm';

const TIMEOUT_MS = 10_000;
const TEXT_CHARS_MAX = 2_000;
const IS_QEMU = /^QEMU emulator version /m;

/** Looks for the small build, and tries out whether it can be confined here: a run that does nothing, in the confinement of a VM. */
export async function readQemuFacts(small = findProgram(SMALL_QEMU)): Promise<QemuFacts> {
  return { small, obstacle: small === undefined ? undefined : await obstacleTo(small) };
}

/**
 * Whether a build has a filter of its own: without one it takes no option `-sandbox`.
 * @param program a path, or a name in PATH @throws CONFIG_VALUE for what is no QEMU
 */
export async function hasSandbox(program: string): Promise<boolean> {
  const confined = await tryToRun(program, ['-sandbox', 'on', '-version']);
  if (IS_QEMU.test(confined.printed)) return true;
  const plain = await tryToRun(program, ['-version']);
  if (IS_QEMU.test(plain.printed)) return false;
  const why = plain.failure ?? `it prints ${JSON.stringify(plain.printed.trim())}`;
  throw new ShoalError(
    'CONFIG_VALUE',
    `Expected \`--qemu\` to be auto or a QEMU, got ${program}, whose \`-version\` says otherwise: ${why}`,
    { details: { program, why } },
  );
}

async function obstacleTo(small: string): Promise<QemuFacts['obstacle']> {
  if (findProgram(BWRAP) === undefined) {
    return { why: 'bubblewrap, which confines it, is not installed', remedy: 'apt-get install bubblewrap' };
  }
  const users = vmUsers();
  const becomesAnother = users === 'own';
  let program: string;
  let files: readonly string[];
  try {
    program = realProgram(small);
    files = await filesOfQemu(program);
  } catch (error) {
    return { why: `${small} cannot be run (${String(error)})`, remedy: 'apt-get install --reinstall qemu-system-x86' };
  }
  const args = bwrapArgs({ files, devices: [], becomesAnother, tellsPid: false });
  const { failure } = await tryToRun(BWRAP, [...args, program, '-version'], qemuFilter(becomesAnother));
  return failure === undefined ? undefined : obstacleOf(failure, users);
}

/** @param said by bubblewrap when it was to run a QEMU that does nothing */
export function obstacleOf(said: string, users: VmUsers): NonNullable<QemuFacts['obstacle']> {
  if (/unknown option/i.test(said)) {
    const remedy = 'install a newer bubblewrap, such as that of Debian 12: apt-get install bubblewrap';
    return { why: `bubblewrap is too old (${said})`, remedy };
  }
  if (/\bexecvp\b/.test(said)) {
    const remedy = 'name the program itself and no script, or apt-get install --reinstall qemu-system-x86';
    return { why: `it cannot be run with nothing but its libraries beside it (${said})`, remedy };
  }
  return { why: `no namespaces can be made (${said})`, remedy: users === 'own' ? FOR_ROOT : forUser() };
}

const FOR_ROOT = 'run on the host itself, or in a container that has CAP_SYS_ADMIN';

/** What forbids namespaces to users, by the settings that the distributions have for it. */
function forUser(): string {
  const settings = [
    ['user.max_user_namespaces', '0', 10_000],
    ['kernel.unprivileged_userns_clone', '0', 1],
    ['kernel.apparmor_restrict_unprivileged_userns', '1', 0],
  ] as const;
  const found = settings.find(([name, forbids]) => settingOf(name) === forbids);
  if (found !== undefined) return `let users make namespaces: sysctl -w ${found[0]}=${found[2]}`;
  return 'let users make namespaces, or run as root: a container or a security module forbids them';
}

function settingOf(setting: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${setting.replaceAll('.', '/')}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}

interface Outcome {
  /** What it said; undefined if it ended well. */
  readonly failure: string | undefined;
  readonly printed: string;
}

/** @param filter given on its descriptor */
function tryToRun(program: string, args: readonly string[], filter?: Buffer): Promise<Outcome> {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'pipe', 'ignore', filter === undefined ? 'ignore' : 'pipe'] as const;
    const child = spawn(program, args, { stdio: [...stdio], timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
    const printed = textOf(child.stdout);
    const said = textOf(child.stderr);
    child.once('error', (error) => resolve({ failure: error.message, printed: '' }));
    child.once('close', (code, signal) => {
      const end = `it ended with ${signal ?? `exit code ${code}`}`;
      resolve({ failure: code === 0 ? undefined : said().trim() || end, printed: printed() });
    });
    const input = child.stdio[FILTER_FD];
    if (!(input instanceof Writable)) return;
    // A program that does not start reads no filter.
    input.on('error', () => undefined);
    input.end(filter);
  });
}

function textOf(stream: Readable | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (more: string) => {
    text = (text + more).slice(0, TEXT_CHARS_MAX);
  });
  return () => text;
}
