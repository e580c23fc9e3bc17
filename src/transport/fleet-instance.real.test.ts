import { ErrorCode } from 'nats';
import { expect, test } from 'vitest';
import { eventually } from '../../test/driver/fleet.ts';
import { ManualClock } from '../actors/kit/mod.ts';
import { codeOf } from '../errors.ts';
import { connect } from './connection.ts';
import { findFleetInstance } from './fleet-instance.ts';
import { realNatsServer, securedNatsServer, servedFleet } from './kit/mod.ts';

// This clock stands still, so only an answer can end the wait.
const untilAnswered = () => ({ clock: new ManualClock() });

test('a fleet that is served is found, with the id under which `nats micro` knows it', async () => {
  await using served = await servedFleet(() => undefined, { version: '1.2.3' });
  const found = await findFleetInstance(served.nc, served.fleet, untilAnswered());
  expect(found).toEqual({ id: expect.any(String), version: '1.2.3' });
  const ping = await served.nc.request(`$SRV.PING.shoal.${found?.id}`, '', { timeout: 5_000 });
  expect(ping.json()).toMatchObject({ id: found?.id });
});

test('where there is no Shoal at all the server says so at once', async () => {
  await using nats = await realNatsServer();
  const connection = await connect({ servers: nats.url, name: 'test' });
  expect(await findFleetInstance(connection.nc, 'f', untilAnswered())).toBeUndefined();
  await connection.close();
});

test('other fleets, other services and answers that are none are not taken for it', async () => {
  await using served = await servedFleet(() => undefined);
  const { nc } = served;
  const odd = ['', 'null', '7', '{', '{"metadata":{"fleet":"f"}}', '{"id":"a\\u001b","metadata":{"fleet":"f"}}'];
  nc.subscribe('$SRV.PING.shoal', {
    callback: (_error, message) => {
      for (const answer of odd) message.respond(answer);
    },
  });
  await nc.flush();
  const clock = new ManualClock();
  const looked = findFleetInstance(served.connection.nc, 'f', { clock, waitMs: 500 });
  // Their answers arrive before the flush returns.
  await served.connection.nc.flush();
  await clock.advance(500);
  expect(await looked).toBeUndefined();
});

test('one that was killed is not found', async () => {
  await using served = await servedFleet(() => undefined);
  await served.connection.nc.close();
  // Until the server has seen the end of the connection, a question to it gets no answer at all.
  await eventually('the server knows', async () => {
    const answer = await served.nc.request('$SRV.PING.shoal', '', { timeout: 1_000 }).catch(codeOf);
    return answer === ErrorCode.NoResponders ? true : undefined;
  });
  expect(await findFleetInstance(served.nc, served.fleet, untilAnswered())).toBeUndefined();
});

test('who may not ask learns nothing, and does not wait for ever', async () => {
  const lines = ['authorization { user: a, password: b, permissions: { subscribe: { deny: "_INBOX.>" } } }'];
  await using nats = await securedNatsServer(lines);
  const connection = await connect({ servers: nats.url, name: 'test', credentials: { user: 'a', password: 'b' } });
  expect(await findFleetInstance(connection.nc, 'f', untilAnswered())).toBeUndefined();
  await connection.close();
});
