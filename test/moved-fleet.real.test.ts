/** A fleet whose host, pool or data directory is another one at the next start. */
import { expect, test } from 'vitest';
import type { IpPoolRow } from '../src/store/mod.ts';
import { randomPool, TestFleet } from './driver/fleet.ts';
import { qemusOf } from './driver/processes.ts';

test('VMs are adopted under the name that their host had, whatever the machine is called now', async () => {
  const fleet = await TestFleet.start({ flags: ['--host', 'elsewhere', '--min', '2'] });
  const before = qemusOf(fleet).map(({ identity }) => identity.pid);
  await fleet.kill();
  const { data, pool } = fleet;
  await expect(TestFleet.start({ data, pool, flags: ['--host', 'another'] })).rejects.toThrow(
    /cannot be named "another": 2 VMs run under its present name "elsewhere"/,
  );
  await using next = await TestFleet.start({ data, pool, flags: ['--min', '2'] });
  const { vms } = await next.until('both are ready', (seen) => seen.vms.every(({ state }) => state === 'ready'));
  expect(vms.map(({ host }) => host)).toEqual(['elsewhere', 'elsewhere']);
  expect(qemusOf(fleet).map(({ identity }) => identity.pid)).toEqual(before);
  expect(await next.json('hosts')).toMatchObject([{ host: 'elsewhere' }]);
});

test('an address that --pool leaves out serves as long as its VM does, and never again', async () => {
  const fleet = await TestFleet.start({ addresses: 2 });
  await fleet.kill();
  const pool = randomPool(2);
  await using next = await TestFleet.start({ data: fleet.data, pool });
  const [kept] = next.ready.vms;
  expect(fleet.ready.vms[0]).toMatchObject({ address: kept?.address });
  const ips = async () => (await next.json('ip')) as IpPoolRow[];
  expect((await ips()).filter(({ retired }) => retired)).toMatchObject([{ vm: kept?.id_vmachine }]);
  await next.run('restart');
  await next.until('another VM has taken its place', ({ vms }) =>
    vms.every(({ id_vmachine, state }) => id_vmachine !== kept?.id_vmachine && state === 'ready'),
  );
  expect((await ips()).map(({ ip, port }) => `${ip}:${port}`)).toEqual(expandedOf(pool));
  expect((await next.snapshot()).addresses).toBe(2);
});

function expandedOf(pool: string): string[] {
  const [, network, last] = /^(.*)\.1-.*\.(\d+):9000$/.exec(pool) ?? [];
  return Array.from({ length: Number(last) }, (_, index) => `${network}.${index + 1}:9000`);
}
