/** When `up` is ready, and when it gives up. */
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { networkOf, qemusOf } from './driver/processes.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

test('up --fresh ends as many VMs as were left, and is ready with new ones', async () => {
  const fleet = await TestFleet.start({ addresses: 8, flags: ['--min', '6'] });
  const left = qemusOf(fleet).map(({ vm }) => vm);
  expect(left).toHaveLength(6);
  await fleet.kill();
  const fresh = await TestFleet.start({ data: fleet.data, pool: fleet.pool, flags: ['--fresh', '--min', '1'] });
  const { vms } = await fresh.until('only new ones are there', (seen) => seen.vms.length === 1);
  expect(left).not.toContain(vms[0]?.id_vmachine);
  expect(await fresh.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('up passes over addresses that other programs have, however many come first', async () => {
  const pool = randomPool(8);
  for (const last of [1, 2, 3, 4]) await taken(`${networkOf(pool)}${last}`);
  await using fleet = await TestFleet.start({ pool });
  expect(fleet.ready.vms).toMatchObject([{ address: `${networkOf(pool)}5:9000`, state: 'ready' }]);
});

test('up gives up when other programs have every address, and names one', async () => {
  const pool = randomPool(2);
  for (const last of [1, 2]) await taken(`${networkOf(pool)}${last}`);
  await expect(TestFleet.start({ pool })).rejects.toThrow(/cannot listen on .*:9000.*PORT_TAKEN/);
});

test('up that cannot start a VM for want of memory says so while it waits, and can be ended', async () => {
  const place = { data: temporaryFolder(), pool: randomPool(2) };
  const flags = ['--data', place.data, '--pool', place.pool, '--set', 'host_memory_reserve_bytes=1000000000000000'];
  const up = new ShoalProcess(['up', '--plain', ...flags]);
  await up.stderrHas(/still waiting for the first VM: no VM can be started: .*host_memory_reserve_bytes/);
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
  expect(leftovers(place)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

async function taken(host: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(9000, host, resolve);
  });
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
}
