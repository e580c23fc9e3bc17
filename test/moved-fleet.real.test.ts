/** A fleet whose host, pool or data directory is another one at the next start. */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { IpPoolRow } from '../src/store/mod.ts';
import { randomPool, TestFleet } from './driver/fleet.ts';
import { qemusOf } from './driver/processes.ts';
import { shoal } from './driver/shoal-process.ts';

const SHOAL = join(import.meta.dirname, '..', 'bin', 'shoal');

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
  // Its fields are held by the test of docs/commands.md.
  const ips = async () => (await next.json('ip')) as IpPoolRow[];
  expect((await ips()).filter(({ retired }) => retired)).toMatchObject([{ vm: kept?.id_vmachine }]);
  await next.run('restart');
  await next.until('another VM has taken its place', ({ vms }) =>
    vms.every(({ id_vmachine, state }) => id_vmachine !== kept?.id_vmachine && state === 'ready'),
  );
  expect((await ips()).map(({ ip, port }) => `${ip}:${port}`)).toEqual(expandedOf(pool));
  expect((await next.snapshot()).addresses).toBe(2);
});

test('nothing runs on a copy: down there ends nothing, and up there starts a fleet of its own', async () => {
  await using fleet = await TestFleet.start();
  const copy = `${fleet.data}-copy`;
  onTestFinished(() => rmSync(copy, { recursive: true }));
  // A file of the running fleet may go while this goes through them. `cp` then copies the others, and exits with 1.
  spawnSync('cp', ['-a', fleet.data, copy]);
  expect(existsSync(join(copy, 'tables.json'))).toBe(true);
  expect(await shoal(['down', '--data', copy])).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining(`No Shoal runs on ${copy}; there is nothing to do.`),
  });
  const second = await TestFleet.start({ data: copy, pool: randomPool(2) });
  expect(second.ready.nats).not.toBe(fleet.ready.nats);
  expect(await second.stop()).toMatchObject({ exitCode: 0 });
  expect(await fleet.run('send', ['still here'])).toMatchObject({ stdout: 'STILL HERE\n' });
});

test('a second up is refused from another network namespace too', async () => {
  await using fleet = await TestFleet.start();
  // Who is not root is so in the namespace, and may then make it.
  const flags = process.getuid?.() === 0 ? ['--net'] : ['--map-root-user', '--net'];
  const second = await shoal(['up', '--plain', '--data', fleet.data], {
    command: 'unshare',
    before: [...flags, SHOAL],
  });
  expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('DATA_DIR_IN_USE') });
  expect(second.stderr).toContain(`pid ${fleet.up.pid}`);
});

test('from another PID namespace commands say that a Shoal runs, and end nothing', async () => {
  await using fleet = await TestFleet.start();
  const flags = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  for (const command of ['ps', 'down']) {
    const said = await shoal([command, '--data', fleet.data], {
      command: 'unshare',
      before: [...flags, '--pid', '--fork', '--mount-proc', SHOAL],
    });
    expect(said).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('DATA_DIR_IN_USE') });
    expect(said.stderr).toContain(`--nats ${fleet.ready.nats} `);
  }
  expect(await fleet.run('send', ['still here'])).toMatchObject({ stdout: 'STILL HERE\n' });
});

test('a data directory that was moved while its VMs run is refused until they have ended', async () => {
  const fleet = await TestFleet.start();
  await fleet.kill();
  const moved = `${fleet.data}-moved`;
  renameSync(fleet.data, moved);
  const { pool } = fleet;
  const why = `was at ${fleet.data} when 1 VM that still runs was started: move it back`;
  await expect(TestFleet.start({ data: moved, pool })).rejects.toThrow(why);
  expect(await shoal(['down', '--data', moved])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(why) });
  renameSync(moved, fleet.data);
  const again = await fleet.resume();
  await again.run('down');
  await again.up.finished;
  renameSync(fleet.data, moved);
  onTestFinished(() => rmSync(moved, { recursive: true }));
  await (await TestFleet.start({ data: moved, pool })).stop();
});

function expandedOf(pool: string): string[] {
  const [, network, last] = /^(.*)\.1-.*\.(\d+):9000$/.exec(pool) ?? [];
  return Array.from({ length: Number(last) }, (_, index) => `${network}.${index + 1}:9000`);
}
