/** A VM that a new Shoal cannot identify, because its QEMU answers nobody. */
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { signalProcess } from '../src/process/mod.ts';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { qemusOf, statusFieldOf } from './driver/processes.ts';

test('a VM that could not be identified is adopted as soon as it can be; while it cannot, a stop says that it is left', async () => {
  const first = await TestFleet.start({ addresses: 2, data: temporaryFolder(), flags: ['--set', 'min_vm_count=1'] });
  const [qemu] = qemusOf(first);
  if (qemu === undefined) throw new Error('a VM runs');
  const { identity } = qemu;
  await first.kill();
  signalProcess(identity, 'SIGSTOP');
  const second = await first.resume();
  expect((await second.events()).map(({ text }) => text).join('\n')).toMatch(/1 is left alone: process \d+ cannot be/);
  const { exitCode, stdout, stderr } = await second.stop();
  expect({ exitCode, said: stdout + stderr }).toEqual({
    exitCode: 1,
    said: expect.stringContaining('1 VM that could'),
  });
  expect(await second.run('down')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /there may be VMs of one that was killed\.\n.*1 is left alone: process \d+ cannot be/,
    ),
  });
  expect(statusFieldOf(identity.pid, 'State')).toContain('T');
  const third = await second.resume();
  signalProcess(identity, 'SIGCONT');
  await third.until('the VM is adopted', ({ vms }) =>
    vms.some((row) => row.id_vmachine === 1 && row.state === 'ready'),
  );
  expect(await third.run('send', ['back'])).toMatchObject({ stdout: 'BACK\n' });
  expect(qemusOf(third).map(({ identity: { pid } }) => pid)).toContain(identity.pid);
  expect(await third.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(third).processes).toEqual([]);
  rmSync(first.data, { recursive: true, force: true });
});
