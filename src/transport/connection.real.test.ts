import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { type ConnectionState, connect } from './connection.ts';
import { realNatsServer, securedNatsServer } from './kit/mod.ts';

const options = { name: 'test', timeoutMs: 500 };

test('to nothing says where nothing is', async () => {
  const nats = await realNatsServer();
  await nats.stop();
  await expect(connect({ ...options, servers: nats.url })).rejects.toMatchObject({
    code: 'NATS_UNREACHABLE',
    message: expect.stringMatching(new RegExp(`${nats.url}: nothing listens there`)),
  });
});

test.each([
  ['says nothing', undefined, /nothing was said within 500 ms/],
  ['is something else', 'HTTP/1.1 400 Bad Request\r\n\r\n', /is no NATS server/],
  ['hangs up', '', /closed without a greeting/],
])('to a listener that %s', async (_what, greeting, why) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (greeting !== undefined) socket.end(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await expect(connect({ ...options, servers: `nats://127.0.0.1:${port}` })).rejects.toMatchObject({
    code: 'NATS_UNREACHABLE',
    message: expect.stringMatching(why),
  });
  await new Promise((resolve) => server.close(resolve));
});

test('to one of several that is there', async () => {
  await using nats = await realNatsServer();
  const gone = await realNatsServer();
  await gone.stop();
  const connection = await connect({ ...options, timeoutMs: 5_000, servers: [gone.url, nats.url] });
  await connection.nc.flush();
  await connection.close();
  await connection.close();
});

test('closing takes its time limit at the most, even if the server stands still', async () => {
  await using nats = await realNatsServer();
  const connection = await connect({ ...options, servers: nats.url });
  nats.signal('SIGSTOP');
  await connection.close();
  expect(connection.nc.isClosed()).toBe(true);
  nats.signal('SIGCONT');
});

test('credentials are sent: a server that wants none takes them', async () => {
  await using nats = await realNatsServer();
  for (const user of ['token', 'me:secret']) {
    const servers = nats.url.replace('//', `//${user}@`);
    const connection = await connect({ ...options, servers });
    expect(connection.shown).toBe(nats.url);
    await connection.close();
  }
});

test('a server that refuses us for a while, after a reconnect, is tried until it lets us in again', async () => {
  const lines = (password: string) => [`authorization { user: me, password: ${password} }`];
  await using before = await securedNatsServer(lines('right'));
  const back = Promise.withResolvers<void>();
  let refusals = 0;
  const states: ConnectionState[] = [];
  const connection = await connect({
    ...options,
    servers: before.url,
    credentials: { user: 'me', password: 'right' },
    onState: (state) => {
      states.push(state);
      if (state === 'connected') back.resolve();
    },
  });
  const refused = Promise.withResolvers<void>();
  void (async () => {
    for await (const { data } of connection.nc.status()) {
      if (data === 'AUTHORIZATION_VIOLATION' && ++refusals === 3) refused.resolve();
    }
  })();
  await before[Symbol.asyncDispose]();
  await using wrong = await securedNatsServer(lines('wrong'), before.port);
  expect(wrong.port).toBe(before.port);
  await Promise.race([refused.promise, connection.nc.closed()]);
  expect(connection.nc.isClosed()).toBe(false);
  await wrong[Symbol.asyncDispose]();
  await using _ = await securedNatsServer(lines('right'), before.port);
  await back.promise;
  await connection.nc.flush();
  expect(states.slice(0, 2)).toEqual(['lost', 'connected']);
  await connection.close();
});

test('a subject that is refused is told again after a reconnect', async () => {
  const lines = ['authorization { users: [ { user: me, password: x, permissions: { publish: { deny: ["no"] } } } ] }'];
  await using before = await securedNatsServer(lines);
  const back = Promise.withResolvers<void>();
  const told: PromiseWithResolvers<string>[] = [Promise.withResolvers(), Promise.withResolvers()];
  let count = 0;
  const connection = await connect({
    ...options,
    servers: before.url,
    credentials: { user: 'me', password: 'x' },
    onState: (state) => {
      if (state === 'connected') back.resolve();
    },
    onForbidden: ({ subject }) => told[count++]?.resolve(subject),
  });
  connection.nc.publish('no');
  expect(await told[0]?.promise).toBe('no');
  await before[Symbol.asyncDispose]();
  await using _ = await securedNatsServer(lines, before.port);
  await back.promise;
  connection.nc.publish('no');
  expect(await told[1]?.promise).toBe('no');
  await connection.close();
});

test('its end is told', async () => {
  await using nats = await realNatsServer();
  const states: ConnectionState[] = [];
  const closed = Promise.withResolvers<void>();
  const onState = (state: ConnectionState): void => {
    states.push(state);
    if (state === 'closed') closed.resolve();
  };
  const connection = await connect({ ...options, servers: nats.url, onState });
  await connection.close();
  await closed.promise;
  expect(states).toEqual(['closed']);
});
