import { expect, it } from 'vitest';
import { createSystem, type Logger } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import { createShards, moduleBeside } from './mod.ts';
import { patientProbe, shardsFixture } from './testing/fixture.ts';

const THROWN_AT = expect.stringMatching(/\n +at .*behaviours\.ts/);

it('an error of an actor on a shard reaches watchers as it was thrown: with stack and cause', async () => {
  await using fixture = shardsFixture();
  const ref = await fixture.worker('w');
  ref.tell({ kind: 'fail', code: 'VM_GONE' });
  const { reason } = await fixture.system.ended(ref);
  expect(reason).toMatchObject({
    error: { code: 'VM_GONE', stack: THROWN_AT, cause: { name: 'Error', message: 'why', stack: THROWN_AT } },
  });
});

it('so does the error of a start', async () => {
  await using fixture = shardsFixture();
  await expect(fixture.worker('w', { failStart: true })).rejects.toMatchObject({ code: 'VM_GONE', stack: THROWN_AT });
});

it('a message that is refused takes the place of no other', async () => {
  await using fixture = shardsFixture({ count: 1 });
  const { start, ...options } = fixture.shards.actor('worker', {}, { capacity: 1, overflow: 'drop-oldest' });
  const ref = await fixture.system.start(start, options);
  const to = patientProbe<number>(fixture);
  ref.tell({ kind: 'count', to: to.ref, upTo: 1 });
  expect(() => ref.tell({ kind: 'pass-on', to: to.ref, message: () => 1 })).toThrow('got a function');
  await to.expect(0);
  expect(fixture.deadLetters).toEqual([]);
});

it('options that cannot cross are refused, and leave nothing open that keeps the process', async () => {
  const ports = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
  const before = ports();
  // The types forbid this, but not every user has them.
  const options = { f: () => 1 } as never;
  for (let n = 0; n < 5; n++) {
    expect(() => shardsFixture({ options })).toThrow('got a function at `message.f`');
  }
  await expect.poll(ports, { timeout: 30_000 }).toBeLessThanOrEqual(before);
});

it('options that cannot cross at a restart count as a thread that could not start', async () => {
  let isBad = false;
  const options = {
    loaded: { path: '/loaded', tell: () => true },
    get odd() {
      return isBad ? () => 1 : 1;
    },
  };
  await using fixture = shardsFixture({ count: 1, options });
  await fixture.worker('before');
  isBad = true;
  fixture.shards.replace(0, 'a test');
  const error = { code: 'SHARD_UNAVAILABLE', message: expect.stringContaining('message.odd') };
  await fixture.untilEvent(({ kind }) => kind === 'shard-lost');
  await expect(fixture.worker('during')).rejects.toMatchObject(error);
  isBad = false;
  await fixture.untilEvent((event) => event.kind === 'shard-up' && event !== fixture.events[0]);
  expect(await fixture.worker('after')).toBeDefined();
});

it('a failure on a shard that no hook takes is logged once, by the logger of the main thread', async () => {
  const errors: (ErrorEnvelope | undefined)[] = [];
  const { promise: twice, resolve } = Promise.withResolvers<void>();
  const logger: Logger = {
    warn: () => undefined,
    error: (_, { error }) => {
      if (errors.push(error) === 2) resolve();
    },
  };
  const system = createSystem({ logger });
  const shards = createShards<typeof import('./testing/behaviours.ts').behaviours>({
    system,
    count: 1,
    module: moduleBeside(import.meta.url, './testing/behaviours'),
    options: { loaded: { path: '/loaded', tell: () => true } },
  });
  const { start, ...options } = shards.actor('worker', {});
  const ref = await system.start(start, options);
  ref.tell({ kind: 'fail-child' });
  await twice;
  await system.shutdown();
  await shards.stop();
  expect(errors).toMatchObject([
    { message: 'a child fails', stack: THROWN_AT },
    { code: 'ACTOR_CHILD_FAILED', cause: { message: 'a child fails', stack: THROWN_AT } },
  ]);
});
