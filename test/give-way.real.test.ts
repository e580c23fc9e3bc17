/** A VM whose request takes long lets the others have the CPUs. */
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lowNiceness, nicenessOf } from '../src/hypervisor/kit/mod.ts';
import { eventually, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { qemusOf } from './driver/processes.ts';

test('a VM gives way while a request takes long, also through a kill -9 of Shoal, and no longer', async () => {
  const first = await TestFleet.start({ addresses: 1, data: temporaryFolder(), flags: ['--set', 'min_vm_count=1'] });
  const pid = qemusOf(first)[0]?.identity.pid ?? expect.unreachable('a VM runs');
  const usual = nicenessOf(pid);
  const has = (niceness: number | undefined): Promise<true> =>
    eventually(`its niceness is ${niceness}`, () => (nicenessOf(pid) === niceness ? true : undefined));

  const slow = first.run('send', ['--op', 'spin', '1500']);
  await has(lowNiceness());
  expect(await slow).toMatchObject({ stdout: 'spun 1500\n' });
  await has(usual);

  const lost = first.run('send', ['--op', 'spin', '3000']);
  await has(lowNiceness());
  await first.kill();
  const second = await first.resume();
  await has(usual);
  await lost;
  expect(await second.run('send', ['back'])).toMatchObject({ stdout: 'BACK\n' });
  await second.stop();
  rmSync(first.data, { recursive: true, force: true });
});
