import { headers } from 'nats';
import { expect, onTestFinished, test, vi } from 'vitest';
import { codeOf } from '../errors.ts';
import { natsCluster, realNatsServer, securedNatsServer } from '../transport/kit/mod.ts';
import { connect } from '../transport/mod.ts';
import { natsParamsBucket } from './nats-params-bucket.ts';

const PATIENCE = { timeout: 20_000, interval: 200 };
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
  expect((await kv.status()).history).toBe(64);
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

test('of values that are made of one revision the first counts, also if the server has taken them all', async () => {
  const { nc, bucket } = await opened();
  await bucket.read();
  await bucket.write(bytes('1'), 0);
  // As a cluster with nats-server 2.9.10 takes them: without a check of the revision.
  const put = async (text: string, base: number): Promise<void> => {
    const header = headers();
    header.set('Shoal-Base', String(base));
    await nc.jetstream().publish('$KV.shoal-f.params', bytes(text), { headers: header });
  };
  await put('first', 1);
  await put('second', 1);
  await put('third', 1);
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 4, bytes: bytes('first') });
  // Another key has a number too.
  await nc.jetstream().publish('$KV.shoal-f.other', bytes('x'));
  expect(await bucket.write(bytes('next'), 4)).toBe('written');
  await put('late', 1);
  await put('later', 4);
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 8, bytes: bytes('next') });
  // Each was made of a revision that was not the last one any more.
  await put('a', 8);
  await put('b', 8);
  await put('c', 9);
  await put('d', 10);
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 12, bytes: bytes('a') });
  // By hand.
  await nc.jetstream().publish('$KV.shoal-f.params', bytes('put'));
  expect(await bucket.read()).toEqual({ kind: 'open', revision: 13, bytes: bytes('put') });
});

test('in a cluster exactly one of several writes of one moment succeeds, and it is the one that is read', async () => {
  const cluster = await natsCluster();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const buckets = await Promise.all(
    cluster.servers.map(async ({ url }) => natsParamsBucket(await connection(url), 'f', 5_000)),
  );
  const [bucket] = buckets;
  if (bucket === undefined) throw new Error('three servers');
  const revisionNow = async (): Promise<number | undefined> => {
    const state = await bucket.read().catch(() => undefined);
    return state?.kind === 'open' ? state.revision : undefined;
  };
  await expect.poll(revisionNow, { timeout: 60_000 }).toBe(0);
  for (let round = 0; round < 40; round++) {
    const revision = (await revisionNow()) ?? 0;
    const texts = buckets.map((_, n) => `${round} of ${n}`);
    const results = await Promise.all(buckets.map((one, n) => one.write(bytes(texts[n] ?? ''), revision)));
    const winners = texts.filter((_, n) => results[n] === 'written');
    expect([round, winners.length]).toEqual([round, 1]);
    expect(await bucket.read()).toMatchObject({ bytes: bytes(winners[0] ?? '') });
  }
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

test('a user who may read and not write is told which right it needs', async () => {
  const secured = await securedNatsServer([
    'jetstream { store_dir: "js" }',
    'authorization { users: [{ user: "u", password: "p", permissions: { publish: { deny: ["$KV.>"] } } }] }',
  ]);
  onTestFinished(() => secured[Symbol.asyncDispose]());
  const bucket = natsParamsBucket(await connection(`nats://u:p@127.0.0.1:${secured.port}`), 'f');
  expect(await bucket.read()).toMatchObject({ kind: 'open' });
  await expect(bucket.write(bytes('1'), 0)).rejects.toMatchObject({
    code: 'PARAMS_UNAVAILABLE',
    message: expect.stringMatching(/allow the user of this host to publish to \$JS\.API\.> and \$KV\.shoal-f\.>$/),
  });
});

test('a server that stands still: a read fails, and of a write nobody can say whether it was made', async () => {
  const { server, nc } = await opened();
  const bucket = natsParamsBucket(nc, 'f', 300);
  await bucket.read();
  server.signal('SIGSTOP');
  // It may answer once more before the signal has stopped all of its threads.
  const outcome = (): Promise<unknown> => bucket.read().then(() => 'there', codeOf);
  await expect.poll(outcome, { timeout: 10_000 }).toBe('PARAMS_UNAVAILABLE');
  expect(await bucket.write(bytes('1'), 0)).toBe('unknown');
  server.signal('SIGCONT');
  await expect.poll(() => bucket.read()).toEqual({ kind: 'open', revision: 1, bytes: bytes('1') });
});

test('a bucket that was made with one replica gets three once the cluster has three servers', async () => {
  const cluster = await natsCluster();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const nc = await connection(cluster.urls);
  await vi.waitFor(() => nc.jetstream().views.kv('shoal-f', { replicas: 1, history: 64 }), {
    timeout: 20_000,
    interval: 200,
  });
  const kv = await nc.jetstream().views.kv('shoal-f', { bindOnly: true });
  await kv.put('params', bytes('1'));
  const bucket = natsParamsBucket(nc, 'f');
  expect(await bucket.read()).toMatchObject({ bytes: bytes('1') });
  const manager = await nc.jetstreamManager();
  await vi.waitFor(async () => {
    const { config, cluster: peers } = await manager.streams.info('KV_shoal-f');
    expect(config.num_replicas).toBe(3);
    expect(peers?.replicas?.filter(({ current }) => current)).toHaveLength(2);
  }, PATIENCE);
  await vi.waitFor(async () => {
    const state = await bucket.read();
    expect(await bucket.write(bytes('2'), state.kind === 'open' ? state.revision : 0)).toBe('written');
  }, PATIENCE);
  expect(await bucket.read()).toMatchObject({ bytes: bytes('2') });
});
