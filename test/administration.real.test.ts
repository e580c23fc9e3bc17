import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { securedNatsServer } from '../src/transport/kit/mod.ts';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

const NOTHING = { processes: [], runDirectories: [], ports: [] };

describe('a fleet is administered while it runs', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start({ addresses: 3 });
  });
  afterAll(() => fleet?.stop());

  test('scale sets how many VMs are kept, up and down', async () => {
    expect(await fleet.run('scale', ['3'])).toMatchObject({ stdout: 'min_vm_count is 3\n', exitCode: 0 });
    await fleet.until('three are ready', ({ vms }) => vms.filter((vm) => vm.state === 'ready').length === 3);
    expect(await fleet.run('scale', ['1'])).toMatchObject({ exitCode: 0 });
    await fleet.until(
      'one is left, and two addresses are free',
      (now) => now.vms.length === 1 && now.addresses_free === 2,
    );
    expect(await fleet.run('scale', ['many'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('"many"'),
    });
  });

  test('restart brings a new VM up before the old one goes', async () => {
    const [before] = (await fleet.snapshot()).vms;
    expect(await fleet.run('restart')).toMatchObject({ stdout: `VMs to be replaced: ${before?.id_vmachine}\n` });
    const after = await fleet.until('another has taken its place', ({ vms }) =>
      vms.every((vm) => vm.id_vmachine !== before?.id_vmachine && vm.state === 'ready'),
    );
    expect(after.vms).toHaveLength(1);
    const events = await fleet.events();
    const ready = events.findLastIndex((events) => events.kind === 'vm-ready');
    const gone = events.findLastIndex((events) => events.kind === 'vm-gone');
    expect(ready).toBeLessThan(gone);
  });

  test.each(['drain', 'rm'])('%s ends a VM, and the minimum is made good', async (command) => {
    const [before] = (await fleet.snapshot()).vms;
    expect(await fleet.run(command, [String(before?.id_vmachine)])).toMatchObject({ exitCode: 0 });
    await fleet.until('another is ready', ({ vms }) =>
      vms.some((vm) => vm.id_vmachine !== before?.id_vmachine && vm.state === 'ready'),
    );
    expect(await fleet.run(command, ['999'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('VM_UNKNOWN'),
    });
  });

  test('params are shown, set together, kept on disk, and refused with the reason', async () => {
    expect(await fleet.json('params', ['get', 'vm_backlog_max'])).toEqual({ vm_backlog_max: 16 });
    expect(await fleet.json('params', ['set', 'vm_backlog_max=3', 'free_count=4'])).toMatchObject({
      vm_backlog_max: 3,
      free_count: 4,
    });
    expect(await fleet.json('params')).toMatchObject({ vm_backlog_max: 3, free_count: 4, min_vm_count: 1 });
    const refused = await fleet.run('params', ['set', 'status_interval_ms=5000']);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/last_connect_ms.*\[CONFIG_VALUE\]/) });
    expect(await fleet.run('params', ['set', 'speed=1'])).toMatchObject({ stderr: expect.stringContaining('"speed"') });
  });

  test('the pool grows and shrinks; an address that a VM holds stays', async () => {
    const { vms } = await fleet.snapshot();
    const held = vms[0]?.id_ip;
    const more = fleet.pool.replace(/\.1-.*:/, '.201:');
    expect(await fleet.run('ip', ['add', more])).toMatchObject({ stdout: '1 added\n', exitCode: 0 });
    expect(await fleet.run('ip', ['add', more])).toMatchObject({ stdout: '0 added\n', exitCode: 0 });
    expect(await fleet.json('ip')).toHaveLength(4);
    expect(await fleet.run('ip', ['rm', String(held)])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('holds'),
    });
    expect(await fleet.run('ip', ['rm', '4'])).toMatchObject({ stdout: 'address 4 removed\n', exitCode: 0 });
    expect(await fleet.json('ip')).toHaveLength(3);
    expect(await fleet.run('ip', ['rm', '4'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('id 4') });
    expect(await fleet.run('ip', ['add', 'x'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"x"') });
  });

  test('inspect, events and hosts say what there is to know', async () => {
    const [vm] = (await fleet.snapshot()).vms;
    expect(await fleet.json('inspect', [String(vm?.id_vmachine)])).toMatchObject({
      id_vmachine: vm?.id_vmachine,
      pid: expect.any(Number),
      image_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      events: expect.arrayContaining([expect.objectContaining({ kind: 'vm-ready' })]),
    });
    expect(await fleet.run('inspect', ['999'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('VM_UNKNOWN'),
    });
    // A line of JSON an event.
    expect(await fleet.json('events', ['-n', '1'])).toMatchObject({
      atMs: expect.any(Number),
      text: expect.any(String),
    });
    expect(await fleet.json('hosts')).toMatchObject([{ vms: 1, ready: 1, accelerator: fleet.ready.accelerator }]);
  });

  test('inspect --tree shows the actors, as a table and as JSON', async () => {
    expect(await fleet.json('inspect', ['--tree'])).toMatchObject({
      actors: expect.arrayContaining([
        expect.objectContaining({ path: '/core/router', state: 'running', restarts: 0, shard: 'main' }),
      ]),
      left_out: 0,
    });
    const { stdout } = await fleet.run('inspect', ['--tree']);
    expect(stdout).toMatch(/^ACTOR +STATE +WAITING +HANDLED +RESTARTS +SHARD\n\/ +running/);
    expect(stdout).toMatch(/\n {4}router +running +\d+ +[1-9]\d* +0 +main\n/);
    expect(await fleet.run('inspect', ['--tree', '1'])).toMatchObject({ exitCode: 2 });
    expect(await fleet.run('inspect')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('number of a VM'),
    });
  });

  test('events are followed as they come', async () => {
    const following = new ShoalProcess(['events', '--data', fleet.data, '--follow', '-n', '1']);
    await following.firstLine();
    await fleet.run('scale', ['2']);
    await following.stdoutHas(/is ready at/);
    following.signal('SIGINT');
    expect(await following.finished).toMatchObject({ exitCode: 0 });
  });

  test('who follows the events ends when nobody reads them any more', async () => {
    const following = new ShoalProcess(['events', '--data', fleet.data, '--follow', '-n', '1']);
    await following.firstLine();
    following.child.stdout?.destroy();
    const [vm] = (await fleet.snapshot()).vms;
    await fleet.run('restart', [String(vm?.id_vmachine)]);
    expect(await following.finished).toMatchObject({ exitCode: 0 });
  });
});

describe('what outlives Shoal', () => {
  test('down --keep-vms leaves the VMs, the next up adopts them with their uptime, tables and pool', async () => {
    const first = await TestFleet.start({ flags: ['--set', 'vm_backlog_max=5'] });
    const { data, pool } = first;
    const [before] = (await first.snapshot()).vms;
    expect(await first.run('down', ['--keep-vms'])).toMatchObject({ exitCode: 0 });
    expect(await first.up.finished).toMatchObject({ exitCode: 0 });
    expect(leftovers({ data, pool }).processes).toHaveLength(1);

    await using second = await TestFleet.start({ data, pool });
    const [after] = (await second.snapshot()).vms;
    expect(after).toMatchObject({ id_vmachine: before?.id_vmachine, address: before?.address, state: 'ready' });
    expect(after?.uptime_ms).toBeGreaterThanOrEqual(before?.uptime_ms ?? Number.NaN);
    expect(await second.json('params', ['get', 'vm_backlog_max'])).toEqual({ vm_backlog_max: 5 });
    await second.stop();
    expect(leftovers({ data, pool })).toEqual(NOTHING);
    rmSync(data, { recursive: true });
  });

  test('up --fresh ends what an earlier Shoal left', async () => {
    const first = await TestFleet.start();
    const { data, pool } = first;
    first.up.signal('SIGKILL');
    await first.up.finished;
    // Its VM and its nats-server go on.
    expect(leftovers({ data, pool }).processes).toHaveLength(2);
    const second = await TestFleet.start({ data, pool, flags: ['--fresh'] });
    const isNew = ({ id_vmachine }: { readonly id_vmachine: number }): boolean => id_vmachine !== 1;
    // The old one may be on its way out still; it is none of those that `up` has waited for.
    expect(second.ready.vms.filter(({ state }) => state === 'ready').map(isNew)).toEqual([true]);
    await second.until('there is a new VM alone', ({ vms }) => vms.length === 1 && vms.every(isNew));
    await second.stop();
    expect(leftovers({ data, pool })).toEqual(NOTHING);
    rmSync(data, { recursive: true });
  });

  test('a Shoal that is killed loses no request of our client, and no VM', async () => {
    const first = await TestFleet.start();
    const { data, pool } = first;
    const client = await connect({ servers: first.ready.nats });
    await client.request('so that it knows the fleet');
    const working = client.request('2500', { op: 'spin' });
    await first.until('it is in work', ({ vms }) => vms.some((vm) => vm.in_flight === 1));
    first.up.signal('SIGKILL');
    const waiting = client.request('sent while nobody is there');
    await first.up.finished;
    const second = await TestFleet.start({ data, pool });
    expect(second.ready.nats).toBe(first.ready.nats);
    expect(await working).toMatchObject({ text: 'spun 2500', vm: 1 });
    expect(await waiting).toMatchObject({ text: 'SENT WHILE NOBODY IS THERE' });
    await client.close();
    await second.stop();
    expect(leftovers({ data, pool })).toEqual(NOTHING);
    rmSync(data, { recursive: true });
  });

  test('who follows the events is told that Shoal is away and that it is back, and sees each event once', async () => {
    const first = await TestFleet.start({ addresses: 2 });
    const following = new ShoalProcess(['events', '--data', first.data, '--follow', '-o', 'json']);
    await following.stdoutHas(/"vm-ready"/);
    await first.kill();
    await following.stderrHas(/^shoal: .* \[FLEET_NOT_RUNNING\]; waiting for the fleet to come back$/m);
    await using second = await first.resume();
    await following.stderrHas(/^shoal: the fleet is back; the events that it remembers of the time between follow/m);
    await following.stdoutHas(/"vm-adopted"/);
    await second.run('scale', ['2']);
    await following.stdoutHas(/"vm-ready","vm":(?!1,)/);
    following.signal('SIGTERM');
    const { exitCode, stdout, stderr } = await following.finished;
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  test('after a kill down says what is left, and an adopted VM is not said to have booted for long', async () => {
    const first = await TestFleet.start({ addresses: 2 });
    await first.kill();
    const down = await first.run('down');
    expect(down).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('but 1 VM of one that was killed') });
    await using fleet = await first.resume();
    const ready = (await fleet.events()).filter(({ kind }) => kind === 'vm-ready');
    expect(ready.map(({ text }) => text)).toEqual([expect.stringMatching(/^VM 1 is ready at \S+$/)]);
  });

  test('damaged tables are refused and kept; --rebuild makes them anew', async () => {
    const data = temporaryFolder();
    const first = await TestFleet.start({ data });
    const { pool } = first;
    await first.stop();
    const path = join(data, 'tables.json');
    writeFileSync(path, '{"format":"shoal-store","version":1,');
    const refused = new ShoalProcess(['up', '--data', data, '--pool', pool]);
    expect(await refused.finished).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/tables\.json.*\[STORE_DAMAGED\]/),
    });
    await using second = await TestFleet.start({ data, pool, flags: ['--rebuild'] });
    expect(await second.run('send', ['again'])).toMatchObject({ stdout: 'AGAIN\n' });
    await second.stop();
    rmSync(data, { recursive: true });
  });
});

test('a NATS server that wants a password is found with it through the data directory, and the password is shown to nobody', async () => {
  await using nats = await securedNatsServer(['authorization { user: me, password: "s3cret" }']);
  const url = nats.url.replace('nats://', 'nats://me:s3cret@');
  await using fleet = await TestFleet.start({ addresses: 2, flags: ['--nats', url, '--fleet', 'locked'] });
  expect(await fleet.run('send', ['let in'])).toMatchObject({ stdout: 'LET IN\n', exitCode: 0 });
  expect(await fleet.json('ps')).toMatchObject({ vms: [{ state: 'ready' }] });
  expect(fleet.ready.nats).toBe(nats.url);
  expect(statSync(join(fleet.data, 'running.json')).mode & 0o077).toBe(0);
  expect(await fleet.run('down', ['--keep-vms'])).toMatchObject({ exitCode: 0 });
  expect(JSON.stringify(await fleet.up.finished)).not.toContain('s3cret');
});
