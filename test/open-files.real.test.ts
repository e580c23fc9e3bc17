import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, TestFleet } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';

const SHOAL = join(import.meta.dirname, '..', 'bin', 'shoal');

test('a fleet that meets the limit of open files says so, starts no more VMs, and goes on', async () => {
  const fleet = await TestFleet.start({
    addresses: 40,
    command: '/bin/sh',
    before: ['-c', 'ulimit -n 110; exec "$0" "$@"', SHOAL],
  });
  const warning = (await fleet.events()).find(({ kind }) => kind === 'warning');
  expect(warning?.text).toMatch(/the limit of 110 open files allows \d+ VMs, and the pool has 40 addresses/);
  await fleet.json('scale', ['40']);
  await eventually('a start is refused', async () =>
    (await fleet.events()).find(({ error }) => error?.code === 'OPEN_FILES_LIMIT'),
  );
  const { vms } = await fleet.until('the others are ready', ({ vms }) => vms.every(({ state }) => state === 'ready'));
  expect(vms.length).toBeGreaterThan(4);
  // Each of them has three files open, and Shoal some of its own.
  expect(vms.length).toBeLessThan(110 / 3);
  expect(await fleet.run('send', ['still here'])).toMatchObject({ stdout: 'STILL HERE\n' });
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});
