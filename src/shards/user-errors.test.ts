import { expect, it } from 'vitest';
import { createSystem, type Logger } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import { createShards, moduleBeside } from './mod.ts';
import { shardsFixture } from './testing/fixture.ts';

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
