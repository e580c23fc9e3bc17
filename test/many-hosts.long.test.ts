/** Commands for a fleet of several hosts, on real QEMU and one nats-server. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { FleetEvent, FleetSnapshot } from '../src/fleet/mod.ts';
import { type RealNatsServer, realNatsServer } from '../src/transport/kit/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';
import { type Finished, shoal } from './driver/shoal-process.ts';

interface HostRow {
  readonly host: string;
  readonly state: string;
  readonly role: string | null;
  readonly vms: number | null;
}

/** A host of the fleet at a server. */
function startHost(
  server: RealNatsServer,
  host: string,
  role: 'up' | 'server' | 'controller' = 'up',
): Promise<TestFleet> {
  return TestFleet.start({ addresses: 2, role, flags: ['--nats', server.url, '--host', host] });
}

function run(server: RealNatsServer, ...args: readonly string[]): Promise<Finished> {
  const [command = '', ...rest] = args;
  return shoal([command, '--nats', server.url, ...rest]);
}

async function json<T>(server: RealNatsServer, ...args: readonly string[]): Promise<T> {
  const { stdout, stderr } = await run(server, ...args, '-o', 'json');
  if (stdout === '') throw new Error(stderr);
  // A test checks the fields that each command prints.
  return JSON.parse(stdout) as T;
}

function eventIn(line: string): FleetEvent {
  // As above.
  return JSON.parse(line) as FleetEvent;
}

/** Hosts that know of each other. */
async function started(server: RealNatsServer, ...names: readonly string[]): Promise<TestFleet[]> {
  const hosts = await Promise.all(names.map((name) => startHost(server, name)));
  await known(server, names);
  return hosts;
}

async function known(server: RealNatsServer, names: readonly string[]): Promise<void> {
  await eventually(`${names.join(', ')} know of each other`, async () => {
    const rows = await json<HostRow[]>(server, 'hosts').catch(() => []);
    return rows.map(({ host }) => host).join() === names.join() ? true : undefined;
  });
}

describe('three hosts', () => {
  let server: RealNatsServer;
  let hosts: TestFleet[];
  beforeAll(async () => {
    server = await realNatsServer();
    hosts = await started(server, 'a', 'b', 'c');
  });
  afterAll(async () => {
    await Promise.all((hosts ?? []).map((host) => host.stop()));
    await server?.stop();
  });

  test('are listed by ps, hosts and top together, each VM by host and number, and each host by itself', async () => {
    const { vms, hosts: rows } = await json<FleetSnapshot>(server, 'ps');
    expect(vms.map(({ host, id_vmachine }) => `${host}/${id_vmachine}`)).toEqual(['a/1', 'b/1', 'c/1']);
    expect(rows).toEqual(['a', 'b', 'c'].map((host) => ({ host, up: true })));
    const table = await run(server, 'ps');
    expect(table).toMatchObject({ exitCode: 0, stderr: '' });
    expect(table.stdout).toMatch(/\n *a\/1 .*\n *b\/1 .*\n *c\/1 /);
    expect((await json<FleetSnapshot>(server, 'ps', '--host', 'b')).vms.map(({ host }) => host)).toEqual(['b']);
    expect((await json<HostRow[]>(server, 'hosts')).map(({ host, state }) => `${host} ${state}`)).toEqual(
      ['a', 'b', 'c'].map((host) => `${host} up`),
    );
    const { stdout } = await run(server, 'top', '--once');
    for (const text of ['3 hosts', 'a/1', 'b/1', 'c/1']) expect(stdout).toContain(text);
    // Any host's data directory finds the fleet.
    expect((await hosts[1]?.json('ps')) as FleetSnapshot).toMatchObject({ vms: { length: 3 } });
  });

  test('tell their events together, each with its host', async () => {
    const events = (await run(server, 'events', '-o', 'json')).stdout.trim().split('\n');
    const told = events.map(eventIn);
    expect(new Set(told.map(({ host }) => host))).toEqual(new Set(['a', 'b', 'c']));
    expect(told.map(({ atMs }) => atMs)).toEqual(told.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
    const ofB = (await run(server, 'events', '--host', 'b', '-o', 'json')).stdout.trim().split('\n');
    expect(new Set(ofB.map((line) => eventIn(line).host))).toEqual(new Set(['b']));
    expect((await run(server, 'events')).stdout).toMatch(/ {2}[abc]: VM 1 is ready/);
  });

  test('have VMs of one number: a command asks which is meant, and takes HOST/NUMBER', async () => {
    for (const command of ['inspect', 'logs', 'drain', 'rm']) {
      const refused = await run(server, command, '1');
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('a/1 or b/1 or c/1') });
    }
    expect(await json(server, 'inspect', 'b/1')).toMatchObject({ host: 'b', id_vmachine: 1 });
    expect(await json(server, 'inspect', '1', '--host', 'c')).toMatchObject({ host: 'c', id_vmachine: 1 });
    expect(await json(server, 'explain', 'vm', 'b/1')).toMatchObject({ host: 'b', vm: 1 });
    for (const command of ['inspect', 'logs', 'drain', 'rm']) {
      const unknown = await run(server, command, 'b/99');
      expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Host b: There is no VM 99') });
    }
    expect(await run(server, 'inspect', 'd/1')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No host called d'),
    });
  });

  test('are scaled together, or one of them', async () => {
    expect(await json(server, 'scale', '2', '--host', 'b')).toMatchObject({ hosts: [{ host: 'b' }] });
    await eventually('b has two VMs', async () => {
      const { vms } = await json<FleetSnapshot>(server, 'ps');
      return vms.filter(({ host }) => host === 'b').length === 2 && vms.length === 4 ? true : undefined;
    });
    // Only b has a VM of that number.
    expect(await json(server, 'inspect', '2')).toMatchObject({ host: 'b', id_vmachine: 2 });
    const all = await json<{ hosts: { host: string }[] }>(server, 'scale', '1');
    expect(all.hosts.map(({ host }) => host)).toEqual(['a', 'b', 'c']);
  });

  test('a host is cordoned: it hands on what comes to it, until that is ended', async () => {
    expect(await run(server, 'cordon', 'b')).toMatchObject({ exitCode: 0, stdout: 'host b gets no more requests\n' });
    const states = async () => (await json<HostRow[]>(server, 'hosts')).map(({ host, state }) => `${host} ${state}`);
    expect(await states()).toEqual(['a up', 'b cordoned', 'c up']);
    const served = async () => (await json<FleetSnapshot>(server, 'ps', '--host', 'b')).requests;
    const before = await served();
    for (let sent = 0; sent < 12; sent++) expect((await run(server, 'send', 'hello')).stdout).toBe('HELLO\n');
    const after = await served();
    const worked = after.ok - before.ok - (after.handed.on - before.handed.on);
    expect(worked).toBeLessThanOrEqual(0);
    expect(await run(server, 'uncordon', 'b')).toMatchObject({ exitCode: 0 });
    expect(await states()).toEqual(['a up', 'b up', 'c up']);
  });

  test('a host is drained: its VMs go and stay away, the fleet serves, and uncordon brings them back', async () => {
    const drained = await json<{ host: string; vms: number[] }>(server, 'drain', '--host', 'c');
    expect(drained).toMatchObject({ host: 'c', vms: expect.arrayContaining([expect.any(Number)]) });
    const vmsOfC = async () => (await json<FleetSnapshot>(server, 'ps', '--host', 'c')).vms.length;
    await eventually('c has no VMs', async () => ((await vmsOfC()) === 0 ? true : undefined));
    for (let sent = 0; sent < 6; sent++) expect((await run(server, 'send', 'still')).stdout).toBe('STILL\n');
    expect(await vmsOfC()).toBe(0);
    expect(await json<HostRow[]>(server, 'hosts', '--host', 'c')).toMatchObject([{ state: 'drained', vms: 0 }]);
    expect(await run(server, 'uncordon', 'c')).toMatchObject({ exitCode: 0 });
    await eventually('c has a VM again', async () => ((await vmsOfC()) === 1 ? true : undefined));
  });

  test('a host that stands still is shown as such, and holds up neither those that know it nor those that have lost it', async () => {
    const [a] = hosts;
    a?.up.signal('SIGSTOP');
    const silent = await eventually('a is silent', async () => {
      const finished = await run(server, 'hosts');
      return finished.exitCode === 1 ? finished : undefined;
    });
    expect(silent.stdout).toMatch(/\na +silent +- .*\nb +up /);
    expect(silent.stderr).toMatch(/shoal: a: Host a .* did not answer "hosts" within \d+ ms \[REQUEST_DEADLINE\]/);
    await eventually('the others have lost a', async () => {
      const events = await run(server, 'events', '-n', '1000', '-o', 'json');
      return events.stdout.includes('"neighbour-lost"') ? true : undefined;
    });
    const { stdout, exitCode } = await run(server, 'ps', '-o', 'json');
    // As above.
    const { vms, hosts: rows } = JSON.parse(stdout) as FleetSnapshot;
    expect([exitCode, new Set(vms.map(({ host }) => host))]).toEqual([1, new Set(['b', 'c'])]);
    expect(rows).toContainEqual({ host: 'a', up: false });
    for (let asked = 0; asked < 5; asked++)
      expect(await run(server, 'params', 'get', 'deadline_ms')).toMatchObject({ exitCode: 0 });
    const gaveUp = { exitCode: 1, stderr: expect.stringContaining('REQUEST_DEADLINE') };
    expect(await run(server, 'drain', '--host', 'a')).toMatchObject(gaveUp);
    a?.up.signal('SIGCONT');
    await known(server, ['a', 'b', 'c']);
    await eventually('a is back', async () => ((await run(server, 'ps')).exitCode === 0 ? true : undefined));
    // Nobody waited any more for the command that it found when it woke.
    expect(await json<HostRow[]>(server, 'hosts', '--host', 'a')).toMatchObject([{ state: 'up' }]);
  });

  test('are ended one by one, or all', async () => {
    expect(await run(server, 'down')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--all') });
    expect(await run(server, 'down', '--host', 'b')).toMatchObject({ exitCode: 0 });
    expect(await hosts[1]?.up.finished).toMatchObject({ exitCode: 0 });
    // It has left in order, so nobody misses it.
    expect(await json<HostRow[]>(server, 'hosts')).toMatchObject([{ host: 'a' }, { host: 'c' }]);
    expect(await run(server, 'down', '--all')).toMatchObject({ exitCode: 0 });
    for (const host of hosts) expect(await host.up.finished).toMatchObject({ exitCode: 0 });
    expect(await run(server, 'ps')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('FLEET_NOT_RUNNING'),
    });
  });
});

test('a server without VMs and a controller that takes no requests serve together', async () => {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const front = await startHost(server, 'front', 'server');
  onTestFinished(() => front.stop().then(() => undefined));
  expect(front.ready.vms).toEqual([]);
  const back = await startHost(server, 'back', 'controller');
  onTestFinished(() => back.stop().then(() => undefined));
  await known(server, ['back', 'front']);
  const rows = await json<HostRow[]>(server, 'hosts');
  expect(rows).toMatchObject([
    { host: 'back', role: 'controller', vms: 1 },
    { host: 'front', role: 'server', vms: 0 },
  ]);
  for (let sent = 0; sent < 5; sent++) {
    expect((await run(server, 'send', 'over two hosts')).stdout).toBe('OVER TWO HOSTS\n');
  }
  // All of them came in at the front, and none of its own makes it wait for VMs of its own.
  const { requests, blocked } = await json<FleetSnapshot>(server, 'ps', '--host', 'front');
  expect(requests.handed.on).toBeGreaterThanOrEqual(5);
  expect(blocked).toBeNull();
  expect(await back.stop()).toMatchObject({ exitCode: 0 });
  expect(await front.stop()).toMatchObject({ exitCode: 0 });
});
