import { expect, onTestFinished, test } from 'vitest';
import { realNatsServer, securedNatsServer } from '../transport/kit/mod.ts';
import { connect } from '../transport/mod.ts';
import { natsParamsBucket } from './nats-params-bucket.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function connection(url: string) {
  const opened = await connect({ servers: url, name: 'bucket' });
  onTestFinished(() => opened.close());
  return opened.nc;
}

async function opened() {
  const server = await realNatsServer({ jetStream: true });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const nc = await connection(server.url);
  return { server, nc, bucket: natsParamsBucket(nc, 'f') };
}

test('a value is written once for each revision, and what stands there is what was written last', async () => {
  const { nc, bucket } = await opened();
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 0, bytes: undefined });
  expect(await bucket.write(bytes('1'), 0)).toBe('written');
  expect(await bucket.write(bytes('2'), 0)).toBe('conflict');
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 1, bytes: bytes('1') });
  const both = await Promise.all([bucket.write(bytes('3'), 1), bucket.write(bytes('4'), 1)]);
  expect(both.toSorted()).toEqual(['conflict', 'written']);
  // Other programs see it as any bucket.
  const kv = await nc.jetstream().views.kv('shoal-f', { bindOnly: true });
  expect((await kv.get('params'))?.revision).toBe(2);
  expect((await kv.status()).history).toBe(16);
});

test('a value that was deleted is none, and the next one is written after its mark', async () => {
  const { nc, bucket } = await opened();
  await bucket.read();
  await bucket.write(bytes('1'), 0);
  const kv = await nc.jetstream().views.kv('shoal-f', { bindOnly: true });
  await kv.delete('params');
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 2, bytes: undefined });
  expect(await bucket.write(bytes('3'), 2)).toBe('written');
});

test('a bucket that was deleted is made again by the next read, and a write before that is refused', async () => {
  const { nc, bucket } = await opened();
  await bucket.read();
  await bucket.write(bytes('1'), 0);
  const manager = await nc.jetstreamManager();
  await manager.streams.delete('KV_shoal-f');
  await expect(bucket.write(bytes('2'), 1)).rejects.toMatchObject({ code: 'PARAMS_UNAVAILABLE' });
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 0, bytes: undefined });
  expect(await bucket.write(bytes('2'), 0)).toBe('written');
});

test('a value that is too large is refused', async () => {
  const { bucket } = await opened();
  await bucket.read();
  await expect(bucket.write(new Uint8Array(20_000), 0)).rejects.toMatchObject({ code: 'PARAMS_UNAVAILABLE' });
});

test('a server without JetStream has no bucket, nor has a user without the right to it', async () => {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  expect(await natsParamsBucket(await connection(server.url), 'f').read()).toEqual({ kind: 'none' });
  const secured = await securedNatsServer([
    'authorization { users: [{ user: "u", password: "p", permissions: { publish: { deny: ["$JS.>"] } } }] }',
  ]);
  onTestFinished(() => secured[Symbol.asyncDispose]());
  const nc = await connection(`nats://u:p@127.0.0.1:${secured.port}`);
  expect(await natsParamsBucket(nc, 'f').read()).toEqual({ kind: 'none' });
});

test('a server that stands still: a read fails, and of a write nobody can say whether it was made', async () => {
  const { server, nc } = await opened();
  const bucket = natsParamsBucket(nc, 'f', 300);
  await bucket.read();
  server.signal('SIGSTOP');
  await expect(bucket.read()).rejects.toMatchObject({ code: 'PARAMS_UNAVAILABLE' });
  expect(await bucket.write(bytes('1'), 0)).toBe('unknown');
  server.signal('SIGCONT');
  await expect.poll(() => bucket.read()).toEqual({ kind: 'open', revision: 1, bytes: bytes('1') });
});
