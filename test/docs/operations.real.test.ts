/** The failures in docs/operations.md that no other test covers. */
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runtimeRoot } from '../../src/hypervisor/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { processesOf, tagOf } from '../driver/processes.ts';

test('a disk that takes no writes: what runs goes on, nothing is acted on, and all is made good when there is room', async () => {
  await using fleet = await TestFleet.start({ addresses: 3 });
  const disk = fullDisk(fleet);
  const refused = await fleet.run('params', ['set', 'vm_backlog_max=3']);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[STORE_WRITE_FAILED]') });
  expect(await fleet.run('scale', ['2'])).toMatchObject({ exitCode: 1 });
  expect(await fleet.run('send', ['still here'])).toMatchObject({ stdout: 'STILL HERE\n', exitCode: 0 });
  expect(await fleet.json('params')).toMatchObject({ vm_backlog_max: 16, min_vm_count: 1 });

  disk.makeRoom();
  expect(await fleet.run('scale', ['2'])).toMatchObject({ exitCode: 0 });
  await fleet.until('two are ready', ({ vms }) => vms.filter(({ state }) => state === 'ready').length === 2);
});

test('a VM that is wanted while nothing can be written is not run, and its request is answered all the same', async () => {
  await using fleet = await TestFleet.start({ addresses: 3 });
  const disk = fullDisk(fleet);
  const slow = [0, 1].map(() => fleet.run('send', ['--op', 'spin', '1500']));
  await eventually('it is said', async () => {
    const said = (await fleet.events()).filter(({ kind }) => kind === 'write-failed');
    return said.length > 0 ? said : undefined;
  });
  for (const one of slow) expect(await one).toMatchObject({ stdout: 'spun 1500\n', exitCode: 0 });
  const ready = (await fleet.events()).filter(({ kind }) => kind === 'vm-ready');
  expect(ready.map(({ vm }) => vm)).toEqual([1]);
  disk.makeRoom();
});

test('after a reboot the addresses are free, parameters and pool as they were, and no number is given twice', async () => {
  // Another fleet, of a test beside this one, takes the usual port of NATS as soon as it is free.
  const usual = createServer().listen(4222, '127.0.0.1');
  onTestFinished(() => void usual.close());
  await once(usual, 'listening').catch(() => undefined);
  const fleet = await TestFleet.start({ addresses: 2, flags: ['--set', 'vm_backlog_max=5'] });
  await fleet.kill();
  for (const { identity } of processesOf(fleet)) signalProcess(identity, 'SIGKILL');
  await eventually('all are gone', () => (processesOf(fleet).length === 0 ? true : undefined));
  // The directory is in memory only, so it is gone after a reboot.
  rmSync(join(runtimeRoot(), tagOf(fleet.data)), { recursive: true });
  const { data, pool } = fleet;
  await using second = await TestFleet.start({ data, pool });
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  expect(second.ready.nats).toBe(fleet.ready.nats);
  const { vms, addresses, addresses_free } = await second.snapshot();
  expect([addresses, addresses_free]).toEqual([2, 1]);
  expect(vms[0]?.id_vmachine).toBeGreaterThan(1);
  expect(await second.json('params')).toMatchObject({ vm_backlog_max: 5 });
  expect(await second.run('send', ['again'])).toMatchObject({ stdout: 'AGAIN\n' });
});

test('spares are prepared, hold an address, and run before anything new is started', async () => {
  await using fleet = await TestFleet.start({ addresses: 3, flags: ['--set', 'spare_vm_count=1'] });
  const prepared = await fleet.until('a spare is prepared', ({ vms }) => vms.some(({ state }) => state === 'prepared'));
  const spare = prepared.vms.find(({ state }) => state === 'prepared')?.id_vmachine;
  expect(prepared.addresses_free).toBe(1);
  const slow = [0, 1].map(() => fleet.run('send', ['--op', 'spin', '1500']));
  await fleet.until('the spare works', ({ vms }) => vms.some((vm) => vm.id_vmachine === spare && vm.state === 'ready'));
  for (const one of slow) expect(await one).toMatchObject({ stdout: 'spun 1500\n', exitCode: 0 });
});

/** Makes every write of the tables fail. CI runs as root, which permissions do not stop. */
function fullDisk(fleet: TestFleet): { makeRoom(): void } {
  const path = join(fleet.data, 'tables.json');
  const kept = `${path}.kept`;
  renameSync(path, kept);
  mkdirSync(join(path, 'full'), { recursive: true });
  return {
    makeRoom: () => {
      rmSync(path, { recursive: true });
      renameSync(kept, path);
    },
  };
}
