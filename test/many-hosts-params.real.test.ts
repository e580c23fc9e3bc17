/** Two hosts of one fleet, and the parameters that they share. */
import { expect, onTestFinished, test } from 'vitest';
import { askFleet } from '../src/app/mod.ts';
import { realNatsServer } from '../src/transport/kit/mod.ts';
import { connect } from '../src/transport/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';

async function twoHosts(servers: string, flags: readonly string[] = []): Promise<readonly [TestFleet, TestFleet]> {
  const start = (host: string): Promise<TestFleet> =>
    TestFleet.start({ addresses: 2, flags: ['--nats', servers, '--host', host, ...flags] });
  const [a, b] = [await start('a'), await start('b')];
  for (const one of [a, b]) onTestFinished(() => one.stop().then(() => undefined));
  return [a, b];
}

/** What is in force on one host. */
async function params(fleet: TestFleet, host: string): Promise<object> {
  return askFleet<object>({ servers: fleet.ready.nats, fleet: 'default' }, 'params', {}, host);
}

async function digests(fleet: TestFleet): Promise<readonly unknown[]> {
  const where = { servers: fleet.ready.nats, fleet: 'default' };
  const rows = await Promise.all(['a', 'b'].map((host) => askFleet<{ params: string }[]>(where, 'hosts', {}, host)));
  return rows.flat().map((row) => row.params);
}

async function everywhere(fleet: TestFleet, expected: object): Promise<void> {
  const wanted = Object.entries(expected);
  for (const host of ['a', 'b']) {
    await eventually(`host ${host} has ${JSON.stringify(expected)}`, async () => {
      const there = new Map(Object.entries(await params(fleet, host)));
      return wanted.every(([name, value]) => there.get(name) === value) ? true : undefined;
    });
  }
}

test('with JetStream a change is in force on both hosts, outlives a restart, and a host that was away gets it', async () => {
  const server = await realNatsServer({ jetStream: true });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const [a, b] = await twoHosts(server.url);
  expect(await a.run('params', ['set', 'deadline_ms=4000'])).toMatchObject({ exitCode: 0 });
  await everywhere(a, { deadline_ms: 4_000 });
  const [one, other] = await digests(a);
  expect(one).toBe(other);
  // One host's own.
  expect(await a.run('params', ['set', 'spare_vm_count=1', '--host', 'b'])).toMatchObject({ exitCode: 0 });
  expect(await params(a, 'a')).toMatchObject({ spare_vm_count: 0 });
  expect(await params(a, 'b')).toMatchObject({ spare_vm_count: 1 });
  const refused = await a.run('params', ['set', 'dedup_ms=1', '--host', 'b']);
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('leave --host away') });
  expect(await a.run('params', ['set', 'spare_vm_count=0'])).toMatchObject({ exitCode: 0 });
  await everywhere(a, { spare_vm_count: 0 });
  await b.kill();
  expect(await a.run('params', ['set', 'deadline_ms=5000'])).toMatchObject({ exitCode: 0 });
  const back = await b.resume();
  onTestFinished(() => back.stop().then(() => undefined));
  await everywhere(a, { deadline_ms: 5_000 });
});

test('a bucket that somebody deletes is made again from what the hosts have in force', async () => {
  const server = await realNatsServer({ jetStream: true });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const [a] = await twoHosts(server.url);
  expect(await a.run('params', ['set', 'deadline_ms=4000'])).toMatchObject({ exitCode: 0 });
  await everywhere(a, { deadline_ms: 4_000 });
  const { nc } = await connect({ servers: server.url, name: 'test' });
  onTestFinished(() => nc.close());
  const { streams } = await nc.jetstreamManager();
  const buckets = async () => (await streams.names().next()).filter((name) => name.startsWith('KV_'));
  const [bucket = ''] = await buckets();
  expect(await streams.delete(bucket)).toBe(true);
  await eventually('a change is taken again', async () => {
    const { exitCode } = await a.run('params', ['set', 'dedup_ms=20000']);
    return exitCode === 0 ? true : undefined;
  });
  await everywhere(a, { deadline_ms: 4_000, dedup_ms: 20_000 });
  expect(await buckets()).toEqual([bucket]);
});

test('without JetStream a change is told to both hosts, and one that does not answer is named', async () => {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const [a, b] = await twoHosts(server.url);
  expect(await a.run('params', ['set', 'deadline_ms=4000'])).toMatchObject({ exitCode: 0 });
  await everywhere(a, { deadline_ms: 4_000 });
  b.up.signal('SIGSTOP');
  onTestFinished(() => b.up.signal('SIGCONT'));
  const where = { servers: server.url, fleet: 'default' };
  const reply = await askFleet(where, 'params-set', { values: { deadline_ms: 5_000 } }, 'a');
  expect(reply).toMatchObject({ values: { deadline_ms: 5_000 }, unreached: ['b'] });
  b.up.signal('SIGCONT');
  await eventually('host b answers again', () => params(a, 'b').catch(() => undefined));
});
