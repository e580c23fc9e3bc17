import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type FleetOptions, temporaryFolder } from './fleet.ts';

const isRoot = process.getuid?.() === 0;
/** `nobody`, unless we are nobody in particular already. */
export const USER = isRoot ? 65_534 : (process.getuid?.() ?? 0);

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * How to run `bin/shoal` as a user without rights.
 * @param project a folder to be made, in which the project is mounted: a checkout of root's may be where nobody else can go
 * @param shell commands of bash that come first, such as `ulimit -u 25`
 */
export function asNobody(project: string, shell = ':'): Pick<FleetOptions, 'command' | 'before'> {
  const run = `${shell}; exec bin/shoal "$@"`;
  if (!isRoot) return { command: 'bash', before: ['-c', `cd "$0" && ${run}`, CHECKOUT] };
  mkdirSync(project);
  const drop = `setpriv --reuid=${USER} --regid=${USER} --clear-groups`;
  const script = 'mount --bind "$1" "$2" && cd "$2" && run=$3 && shift 3 && exec';
  return {
    command: 'unshare',
    before: ['--mount', 'sh', '-c', `${script} ${drop} bash -c "$run" bash "$@"`, 'sh', CHECKOUT, project, run],
  };
}

/**
 * The same with a right to KVM, as a member of its group has: a device of its own stands in the place of /dev/kvm, in the mount namespace of
 * that program alone.
 */
export function withKvm(
  folder: string,
  how: Pick<FleetOptions, 'command' | 'before'>,
): Pick<FleetOptions, 'command' | 'before'> {
  const { command = 'bin/shoal', before = [] } = how;
  if (!isRoot) return how;
  const device = join(folder, 'kvm');
  const script = 'mknod -m 666 "$1" c 10 232 && mount --bind "$1" /dev/kvm && shift && exec "$@"';
  return { command: 'unshare', before: ['--mount', 'sh', '-c', script, 'sh', device, command, ...before] };
}

/** A data directory of that user's, for this test, and how `bin/shoal` is run there: without a home, and with run directories of its own. */
export function placeOfNobody(): Required<Pick<FleetOptions, 'data' | 'env'>> &
  Pick<FleetOptions, 'command' | 'before'> {
  const data = temporaryFolder();
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const runtime = join(data, 'run');
  mkdirSync(runtime);
  for (const path of [data, runtime]) chownSync(path, USER, USER);
  const env = { SHOAL_RUNTIME_DIR: runtime, HOME: '/nonexistent', XDG_CACHE_HOME: '', XDG_STATE_HOME: '' };
  return { data, env, ...asNobody(join(data, 'project')) };
}
