/** Shoal needs no root: without it there is no user id a VM, and QEMU may not so much as try to gain rights. */
import { chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { asNobody, USER } from './driver/nobody.ts';
import { processesOf, qemusOf } from './driver/processes.ts';

test('a user who may nothing in particular runs it, without a home and without KVM if need be; VMs have no rights and can gain none', async () => {
  const data = temporaryFolder();
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const runtime = join(data, 'run');
  mkdirSync(runtime);
  for (const path of [data, runtime]) chownSync(path, USER, USER);
  const env = { SHOAL_RUNTIME_DIR: runtime, HOME: '/nonexistent', XDG_CACHE_HOME: '', XDG_STATE_HOME: '' };
  const fleet = await TestFleet.start({ data, env, addresses: 2, ...asNobody(join(data, 'project')) });
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

function statusOf(pid: number, field: string): string | undefined {
  return new RegExp(`^${field}:\\s*(.+)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
}
