import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ShoalError } from '../errors.ts';
import { callAdmin } from './admin-client.ts';
import { callEveryHost, hostThatAnswers } from './admin-hosts.ts';
import { serveAdmin } from './admin-server.ts';
import { connect } from './connection.ts';
import { realNatsServer } from './kit/mod.ts';

/** Hosts of one fleet, each with a connection of its own, by what they know of each other. */
async function hosts(known: Readonly<Record<string, { up?: readonly string[]; lost?: readonly string[] }>>) {
  const server = await realNatsServer();
  const names = Object.entries(known);
  const connections = await Promise.all(
    [...names, ['client']].map(([name]) => connect({ servers: server.url, name: String(name) })),
  );
  const [client, ...rest] = connections.reverse();
  if (client === undefined) throw new Error('a client');
  for (const [index, [name, { up = [], lost = [] }]] of names.reverse().entries()) {
    const handlers = {
      ps: async () => ({ of: name }),
      fail: async () => {
        throw new ShoalError('VM_UNKNOWN', `There is no VM on ${name}`);
      },
    };
    const one = rest[index];
    if (one === undefined) throw new Error('a connection for each host');
    await serveAdmin(one.nc, 'f', handlers, { host: { name, others: () => ({ up, lost }) } });
  }
  return {
    nc: client.nc,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map((one) => one.close()));
      await server[Symbol.asyncDispose]();
    },
  };
}

// This clock stands still, so only answers can end the wait.
const untilAnswered = () => ({ clock: new ManualClock() });

test('every host answers for itself, and nobody has to know which there are', async () => {
  await using fleet = await hosts({ a: { up: ['b', 'c.d'] }, b: { up: ['a', 'c.d'] }, 'c.d': { up: ['a', 'b'] } });
  const answers = await callEveryHost(fleet.nc, 'f', 'ps', {}, untilAnswered());
  expect(answers.map(({ host, value }) => [host, value])).toEqual(['a', 'b', 'c.d'].map((of) => [of, { of }]));
  expect(await callAdmin(fleet.nc, 'f', 'ps', {}, 5_000, 'c.d')).toEqual({ of: 'c.d' });
});

test('what the verb of a host throws is its answer', async () => {
  await using fleet = await hosts({ a: { up: ['b'] }, b: { up: ['a'] } });
  const answers = await callEveryHost(fleet.nc, 'f', 'fail', {}, untilAnswered());
  expect(answers).toMatchObject([
    { host: 'a', error: { code: 'VM_UNKNOWN', message: 'There is no VM on a' } },
    { host: 'b', error: { code: 'VM_UNKNOWN' } },
  ]);
});

test('a host that is up and does not answer is waited for and named, one that is lost is only named', async () => {
  await using fleet = await hosts({ a: { up: ['still'], lost: ['gone'] } });
  const clock = new ManualClock();
  const answered = new Promise<void>((resolve) => {
    // What has no bytes is a host's question whether the caller waits.
    fleet.nc.subscribe('_INBOX.>', { callback: (_error, { data }) => data.length > 0 && resolve() });
  });
  const called = callEveryHost(fleet.nc, 'f', 'ps', {}, { clock, timeoutMs: 500 });
  await answered;
  // What came at the same moment for the call has been taken as well.
  await fleet.nc.flush();
  await clock.advance(500);
  expect(await called).toMatchObject([
    { host: 'a', error: undefined },
    { host: 'gone', error: { code: 'REQUEST_DEADLINE', message: expect.stringContaining('Host gone') } },
    { host: 'still', error: { code: 'REQUEST_DEADLINE', message: expect.stringContaining('within 500 ms') } },
  ]);
  await using other = await hosts({ a: { lost: ['gone'] } });
  const answers = await callEveryHost(other.nc, 'f', 'ps', {}, untilAnswered());
  expect(answers.map(({ host, error }) => [host, error === undefined])).toEqual([
    ['a', true],
    ['gone', false],
  ]);
});

test('what any host can do is done by one that answers', async () => {
  await using fleet = await hosts({ a: { up: ['b', 'still'] }, b: { up: ['a', 'still'] } });
  expect(['a', 'b']).toContain(await hostThatAnswers(fleet.nc, 'f', untilAnswered()));
  await expect(hostThatAnswers(fleet.nc, 'g', untilAnswered())).rejects.toMatchObject({ code: 'FLEET_NOT_RUNNING' });
});

test('a fleet that nobody serves is not running, and a host that is not in it is unknown', async () => {
  await using fleet = await hosts({ a: {} });
  await expect(callEveryHost(fleet.nc, 'g', 'ps', {}, untilAnswered())).rejects.toMatchObject({
    code: 'FLEET_NOT_RUNNING',
  });
  await expect(callAdmin(fleet.nc, 'f', 'ps', {}, 5_000, 'b')).rejects.toMatchObject({
    code: 'HOST_UNKNOWN',
    message: expect.stringContaining('No host called b is in the fleet f'),
  });
});
