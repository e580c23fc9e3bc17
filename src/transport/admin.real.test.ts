import { headers } from 'nats';
import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ShoalError } from '../errors.ts';
import { callAdmin } from './admin-client.ts';
import { callEveryHost } from './admin-hosts.ts';
import { serveAdmin } from './admin-server.ts';
import { connect } from './connection.ts';
import { type RealNatsServerOptions, realNatsServer } from './kit/mod.ts';
import { subjectsOf } from './subjects.ts';

async function connectedServer(options?: RealNatsServerOptions) {
  const server = await realNatsServer(options);
  const connection = await connect({ servers: server.url, name: 'test' });
  return {
    nc: connection.nc,
    signal: server.signal,
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await server.stop();
    },
  };
}

test('a verb gets its arguments, and its result comes back', async () => {
  await using nats = await connectedServer();
  const server = await serveAdmin(nats.nc, 'f', {
    scale: async (args) => ({ got: args }),
    drain: async () => undefined,
  });
  expect(await callAdmin(nats.nc, 'f', 'scale', { min: 3 })).toEqual({ got: { min: 3 } });
  expect(await callAdmin(nats.nc, 'f', 'drain')).toBeNull();
  await server.close();
});

test('what a verb throws arrives with its code', async () => {
  await using nats = await connectedServer();
  await serveAdmin(nats.nc, 'f', {
    rm: async () => {
      throw new ShoalError('VM_UNKNOWN', 'No VM has the id 9', { details: { vm: 9 } });
    },
  });
  await expect(callAdmin(nats.nc, 'f', 'rm', 9)).rejects.toMatchObject({
    name: 'ShoalError',
    code: 'VM_UNKNOWN',
    message: 'No VM has the id 9',
    details: { vm: 9 },
  });
});

test('a verb that is not served is named, with those that are', async () => {
  await using nats = await connectedServer();
  await serveAdmin(nats.nc, 'f', { ps: async () => [] });
  for (const verb of ['pss', 'constructor']) {
    await expect(callAdmin(nats.nc, 'f', verb)).rejects.toMatchObject({
      code: 'NATS_MESSAGE_INVALID',
      message: expect.stringMatching(`"${verb}"; it has ps`),
    });
  }
});

test('a fleet that nobody serves is not running', async () => {
  await using nats = await connectedServer();
  await serveAdmin(nats.nc, 'f', { ps: async () => [] });
  await expect(callAdmin(nats.nc, 'g', 'ps')).rejects.toMatchObject({
    code: 'FLEET_NOT_RUNNING',
    message: expect.stringMatching(/fleet g at .*shoal up/),
  });
});

test('a verb that takes too long is a timeout, told from nobody being there', async () => {
  await using nats = await connectedServer();
  const hung = Promise.withResolvers<void>();
  const server = await serveAdmin(nats.nc, 'f', { hang: () => hung.promise });
  await expect(callAdmin(nats.nc, 'f', 'hang', undefined, 50)).rejects.toMatchObject({
    code: 'REQUEST_DEADLINE',
    message: expect.stringContaining('"hang" within 50 ms'),
  });
  hung.resolve();
  await server.close();
});

test('a call whose caller has given up when it comes is not carried out', async () => {
  await using nats = await connectedServer();
  const done: unknown[] = [];
  const scale = async (args: unknown) => done.push(args);
  const host = { name: 'a', others: () => ({ up: [], lost: [] }) };
  await serveAdmin(nats.nc, 'f', { scale }, { host });
  // What is sent to a server that stands still comes when it goes on, as at a host that stands still or is cut off.
  nats.signal('SIGSTOP');
  const gaveUp = { code: 'REQUEST_DEADLINE' };
  await expect(callAdmin(nats.nc, 'f', 'scale', 1, 50)).rejects.toMatchObject(gaveUp);
  await expect(callAdmin(nats.nc, 'f', 'scale', 2, 50, 'a')).rejects.toMatchObject(gaveUp);
  await expect(callEveryHost(nats.nc, 'f', 'scale', 3, { timeoutMs: 50 })).rejects.toMatchObject(gaveUp);
  nats.signal('SIGCONT');
  await callAdmin(nats.nc, 'f', 'scale', 4);
  expect(done).toEqual([4]);
});

test('a call of another program, which cannot be asked whether it waits, is carried out', async () => {
  await using nats = await connectedServer();
  await serveAdmin(nats.nc, 'f', { ps: async () => [] });
  expect((await nats.nc.request(subjectsOf('f').admin('ps'))).json()).toEqual({ ok: true, value: [] });
  const of = headers();
  of.set('Shoal-Caller', 'shoal.f.events');
  expect((await nats.nc.request(subjectsOf('f').admin('ps'), '', { timeout: 5_000, headers: of })).json()).toEqual({
    ok: true,
    value: [],
  });
});

test('a result and arguments beyond the limit of the server are errors that say so', async () => {
  await using nats = await connectedServer({ maxPayloadBytes: 2_000 });
  await serveAdmin(nats.nc, 'f', { logs: async () => 'x'.repeat(2_000) });
  const tooLarge = { code: 'REQUEST_TOO_LARGE', message: expect.stringContaining('"logs"') };
  await expect(callAdmin(nats.nc, 'f', 'logs')).rejects.toMatchObject(tooLarge);
  await expect(callAdmin(nats.nc, 'f', 'logs', 'x'.repeat(2_000))).rejects.toMatchObject(tooLarge);
});

test('closing lets calls in hand finish, then nobody responds', async () => {
  await using nats = await connectedServer();
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const server = await serveAdmin(nats.nc, 'f', {
    slow: async () => {
      started.resolve();
      await finish.promise;
      return 'done';
    },
  });
  const called = callAdmin(nats.nc, 'f', 'slow');
  await started.promise;
  const closed = server.close();
  finish.resolve();
  expect(await called).toBe('done');
  await closed;
  await expect(callAdmin(nats.nc, 'f', 'slow')).rejects.toMatchObject({ code: 'FLEET_NOT_RUNNING' });
});

test('closing ends, and a start fails, while the NATS server stands still', async () => {
  await using nats = await connectedServer();
  const server = await serveAdmin(nats.nc, 'f', { ps: async () => [] });
  nats.signal('SIGSTOP');
  const clock = new ManualClock();
  const started = serveAdmin(nats.nc, 'g', {}, { clock }).catch((error: unknown) => error);
  await clock.advance(60_000);
  expect(await started).toMatchObject({ code: 'NATS_UNREACHABLE' });
  await server.close();
  nats.signal('SIGCONT');
});

test('a closed connection says so', async () => {
  await using nats = await connectedServer();
  await nats.nc.close();
  await expect(callAdmin(nats.nc, 'f', 'ps')).rejects.toMatchObject({ code: 'NATS_UNREACHABLE' });
});
