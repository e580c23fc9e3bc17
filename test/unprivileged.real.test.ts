/** Shoal needs no root: without it there is no user id a VM, and QEMU may not so much as try to gain rights. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestFleet } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { asNobody, placeOfNobody, USER } from './driver/nobody.ts';
import { processesOf, qemusOf, statusFieldOf } from './driver/processes.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

test('a user who may nothing in particular runs it, without a home and without KVM if need be; VMs have no rights and can gain none', async () => {
  const fleet = await TestFleet.start({ ...placeOfNobody(), addresses: 2 });
  expect(await fleet.run('send', ['anybody'])).toMatchObject({ stdout: 'ANYBODY\n', exitCode: 0 });
  const uids = processesOf(fleet).map(({ identity }) => statusFieldOf(identity.pid, 'Uid'));
  expect(uids).toEqual(uids.map(() => [USER, USER, USER, USER].join('\t')));
  const [qemu] = qemusOf(fleet);
  if (qemu === undefined) throw new Error('a VM runs');
  expect(qemu.commandLine).toContain('elevateprivileges=deny');
  const rights = ['CapEff', 'NoNewPrivs', 'Seccomp'].map((field) => statusFieldOf(qemu.identity.pid, field));
  expect(rights).toEqual(['0000000000000000', '1', '2']);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet).processes).toEqual([]);
});

test('a user who has no place for run directories is told so, and nothing is started', async () => {
  const { data, ...how } = placeOfNobody();
  const env = { ...how.env, SHOAL_RUNTIME_DIR: '', XDG_RUNTIME_DIR: '' };
  const { stderr, exitCode } = await new ShoalProcess(['up', '--plain', '--data', data], { ...how, env }).finished;
  expect(stderr).toMatch(/^shoal: There is no place for run directories: .*SHOAL_RUNTIME_DIR.* \[RIGHTS_MISSING\]\n$/);
  expect(exitCode).toBe(1);
});

test('a umask that takes rights from the user, too, is no obstacle', async () => {
  const place = placeOfNobody();
  const umask = asNobody(join(place.data, 'under-umask'), 'umask 0777');
  const fleet = await TestFleet.start({ ...place, ...umask, addresses: 2 });
  expect(await fleet.run('send', ['umask'])).toMatchObject({ stdout: 'UMASK\n', exitCode: 0 });
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet).processes).toEqual([]);
});

test('root of a user namespace with no other ids runs VMs without capabilities, on both builds of QEMU', async () => {
  const asRoot = { command: 'unshare', before: ['--user', '--map-root-user', 'bin/shoal'], addresses: 2 };
  for (const network of ['user', 'none'] as const) {
    const fleet = await TestFleet.start({ ...asRoot, network });
    expect(await fleet.run('send', ['anybody'])).toMatchObject({ stdout: 'ANYBODY\n', exitCode: 0 });
    const qemus = qemusOf(fleet);
    const rights = ['CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp'];
    const none = ['0000000000000000', '0000000000000000', '0000000000000000', '1', '2'];
    expect(qemus.map(({ identity: { pid } }) => rights.map((field) => statusFieldOf(pid, field)))).toEqual(
      qemus.map(() => none),
    );
    expect(qemus.length).toBeGreaterThan(0);
    expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
    expect(leftovers(fleet).processes).toEqual([]);
  }
});
