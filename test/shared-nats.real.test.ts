/** Two Shoals on one NATS server, and a NATS server that does not let Shoal do what it needs. */
import { expect, onTestFinished, test } from 'vitest';
import { realNatsServer, securedNatsServer } from '../src/transport/kit/mod.ts';
import { willEnd } from './driver/end-left.ts';
import { randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

test('a second Shoal of a fleet on one NATS server is refused, one of another fleet is not', async () => {
  await using fleet = await TestFleet.start();
  const flags = ['--nats', fleet.ready.nats];
  await expect(TestFleet.start({ flags })).rejects.toThrow(/Another Shoal serves the fleet "default".*FLEET_IN_USE/);
  const other = await TestFleet.start({ flags: [...flags, '--fleet', 'other'] });
  expect(await other.stop()).toMatchObject({ exitCode: 0 });
  // Its predecessor has just been killed: nobody serves the fleet.
  const killed = await TestFleet.start({ flags: [...flags, '--fleet', 'other'] });
  await killed.kill();
  expect(await (await killed.resume()).stop()).toMatchObject({ exitCode: 0 });
});

test('a Shoal that comes back while another serves its fleet on its own NATS server leaves that to it', async () => {
  const fleet = await TestFleet.start();
  await fleet.kill();
  const other = await TestFleet.start({ flags: ['--nats', fleet.ready.nats] });
  await expect(fleet.resume()).rejects.toThrow(/FLEET_IN_USE/);
  expect((await other.run('send', ['still here'])).stdout).toBe('STILL HERE\n');
  expect(await other.stop()).toMatchObject({ exitCode: 0 });
  const next = await fleet.resume();
  const placesOf = ({ ready }: TestFleet) => ready.vms.map(({ id_vmachine, address }) => [id_vmachine, address]);
  expect(placesOf(next)).toEqual(placesOf(fleet));
  expect(await next.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
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

test('of two Shoals of one fleet that start at the same moment on one NATS server, one serves and the other is refused', async () => {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const start = (): Promise<TestFleet> => TestFleet.start({ addresses: 1, flags: ['--nats', server.url] });
  const outcomes = await Promise.allSettled([start(), start()]);
  const served = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  expect(served).toHaveLength(1);
  expect(refused).toEqual([expect.stringMatching(/Another Shoal serves the fleet "default".*FLEET_IN_USE/)]);
  for (const fleet of served) expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
});
