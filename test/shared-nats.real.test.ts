/** Two Shoals on one NATS server, and a NATS server that does not let Shoal do what it needs. */
import { connect, headers } from 'nats';
import { expect, onTestFinished, test } from 'vitest';
import { realNatsServer, securedNatsServer } from '../src/transport/kit/mod.ts';
import { willEnd } from './driver/end-left.ts';
import { randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

const REFUSED =
  /The fleet "default" .* has a host called "[^"]+": process \d+ on the machine .*data directory \/.*This one \(process \d+ .*data directory \/.*HOST_NAME_TAKEN/;

test('a second host of one name in a fleet is refused, one of another name or another fleet is not', async () => {
  await using fleet = await TestFleet.start();
  const flags = ['--nats', fleet.ready.nats];
  await expect(TestFleet.start({ flags })).rejects.toThrow(REFUSED);
  const second = await TestFleet.start({ flags: [...flags, '--host', 'b'] });
  expect(await second.stop()).toMatchObject({ exitCode: 0 });
  const other = await TestFleet.start({ flags: [...flags, '--fleet', 'other'] });
  expect(await other.stop()).toMatchObject({ exitCode: 0 });
  // Its predecessor has just been killed: nobody has its name.
  const killed = await TestFleet.start({ flags: [...flags, '--fleet', 'other'] });
  await killed.kill();
  expect(await (await killed.resume()).stop()).toMatchObject({ exitCode: 0 });
});

test('a Shoal that comes back while another of its name serves its fleet on its own NATS server leaves that to it', async () => {
  const fleet = await TestFleet.start();
  await fleet.kill();
  const other = await TestFleet.start({ flags: ['--nats', fleet.ready.nats] });
  await expect(fleet.resume()).rejects.toThrow(/HOST_NAME_TAKEN/);
  expect((await other.run('send', ['still here'])).stdout).toBe('STILL HERE\n');
  expect(await other.stop()).toMatchObject({ exitCode: 0 });
  const next = await fleet.resume();
  const placesOf = ({ ready }: TestFleet) => ready.vms.map(({ id_vmachine, address }) => [id_vmachine, address]);
  expect(placesOf(next)).toEqual(placesOf(fleet));
  expect(await next.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('a host starts although another one fails with its greeting', async () => {
  await using server = await realNatsServer();
  const other = await connect({ servers: server.url });
  onTestFinished(() => other.close());
  const failed = headers();
  failed.set('Nats-Service-Error-Code', '502');
  failed.set('Nats-Service-Error', 'host b was lost while it worked on the request');
  let isThere = true;
  // Of so many members of the queue group one gets the first request, almost always.
  const members = Array.from({ length: 50 }, () =>
    other.subscribe('shoal.default.process', {
      queue: 'shoal',
      callback: (_error, message) => {
        message.respond('', { headers: failed });
        if (isThere) for (const member of members) member.unsubscribe();
        isThere = false;
      },
    }),
  );
  await other.flush();
  const fleet = await TestFleet.start({ flags: ['--nats', server.url] });
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
});

test('a host that stands still while another of its name starts: when it wakes one of the two ends, with an error that names both', async () => {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const flags = ['--nats', server.url, '--host', 'a'];
  const older = await TestFleet.start({ addresses: 1, flags });
  older.up.signal('SIGSTOP');
  const younger = await TestFleet.start({ addresses: 1, flags });
  older.up.signal('SIGCONT');
  const ended = await Promise.race([older, younger].map((one) => one.up.finished.then((how) => ({ one, how }))));
  const left = ended.one === older ? younger : older;
  expect(ended.how.exitCode).toBe(1);
  expect(ended.how.stderr).toMatch(/Two hosts of the group shoal.default.hosts are called a: .*HOST_NAME_TAKEN/);
  for (const { data } of [older, younger]) expect(ended.how.stderr).toContain(`data directory ${data}`);
  expect((await left.run('send', ['one is left'])).stdout).toBe('ONE IS LEFT\n');
  expect(await left.stop()).toMatchObject({ exitCode: 0 });
  // The VMs of the one that was refused go on, for its next start.
  const next = await TestFleet.start({ addresses: 1, flags, data: ended.one.data, pool: ended.one.pool });
  expect(next.ready.vms).toMatchObject(ended.one.ready.vms.map(({ id_vmachine }) => ({ id_vmachine })));
  expect(await next.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(ended.one)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test.each([
  ['replies', 'publish: { deny: ["_INBOX.>"] }', /does not let this user publish to "_INBOX\./],
  [
    'administration',
    'subscribe: { deny: ["shoal.*.admin.>"] }',
    /does not let this user subscribe to "shoal\.default\.admin/,
  ],
])('a NATS server that forbids %s is told of', async (_, permissions, complaint) => {
  const server = await securedNatsServer([
    `authorization { users: [{ user: "u", password: "p", permissions: { ${permissions} } }] }`,
  ]);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const place = { data: temporaryFolder(), pool: randomPool(2) };
  willEnd(place);
  const url = `nats://u:p@127.0.0.1:${server.port}`;
  const up = new ShoalProcess(['up', '--plain', '--data', place.data, '--pool', place.pool, '--nats', url]);
  await up.stderrHas(complaint);
  up.signal('SIGINT');
  await up.finished;
  expect(leftovers(place)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test('of two hosts of one name that start at the same moment on one NATS server, one serves and the other is refused', async () => {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const start = (): Promise<TestFleet> => TestFleet.start({ addresses: 1, flags: ['--nats', server.url] });
  const outcomes = await Promise.allSettled([start(), start()]);
  const served = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  expect(served).toHaveLength(1);
  expect(refused).toEqual([expect.stringMatching(REFUSED)]);
  for (const fleet of served) expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
});
