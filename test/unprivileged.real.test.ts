/** Shoal needs no root: without it there is no user id a VM, and QEMU may not so much as try to gain rights. */
import { chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { type FleetOptions, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { processesOf, qemusOf } from './driver/processes.ts';

const isRoot = process.getuid?.() === 0;
/** `nobody`, unless we are nobody in particular already. */
const USER = isRoot ? 65_534 : (process.getuid?.() ?? 0);

test('a user who may nothing in particular runs it, without a home and without KVM if need be; VMs have no rights and can gain none', async () => {
  const data = temporaryFolder();
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const runtime = join(data, 'run');
  mkdirSync(runtime);
  for (const path of [data, runtime]) chownSync(path, USER, USER);
  const env = { SHOAL_RUNTIME_DIR: runtime, HOME: '/nonexistent', XDG_CACHE_HOME: '', XDG_STATE_HOME: '' };
  const fleet = await TestFleet.start({ data, env, addresses: 2, ...(isRoot ? asNobody(join(data, 'project')) : {}) });
  expect(await fleet.run('send', ['anybody'])).toMatchObject({ stdout: 'ANYBODY\n', exitCode: 0 });
  const uids = processesOf(fleet).map(({ identity }) => statusOf(identity.pid, 'Uid'));
  expect(uids).toEqual(uids.map(() => [USER, USER, USER, USER].join('\t')));
  const [qemu] = qemusOf(fleet);
  if (qemu === undefined) throw new Error('a VM runs');
  expect(qemu.commandLine).toContain('elevateprivileges=deny');
  const rights = ['CapEff', 'NoNewPrivs', 'Seccomp'].map((field) => statusOf(qemu.identity.pid, field));
  expect(rights).toEqual(['0000000000000000', '1', '2']);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet).processes).toEqual([]);
});

/** The project is mounted below the test's own folder: a checkout of root's may be where nobody else can go. */
function asNobody(project: string): Pick<FleetOptions, 'command' | 'before'> {
  mkdirSync(project);
  const drop = `setpriv --reuid=${USER} --regid=${USER} --clear-groups`;
  const script = `mount --bind "$1" "$2" && cd "$2" && shift 2 && exec ${drop} bin/shoal "$@"`;
  const checkout = fileURLToPath(new URL('..', import.meta.url));
  return { command: 'unshare', before: ['--mount', 'sh', '-c', script, 'sh', checkout, project] };
}

function statusOf(pid: number, field: string): string | undefined {
  return new RegExp(`^${field}:\\s*(.+)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
}
