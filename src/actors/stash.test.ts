import { expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';

it('a message is stashed once: the second time fails the actor', async () => {
  await using kit = testKit();
  const ref = kit.system.spawn<string>((context) => (message) => {
    context.stash(message);
    context.stash(message);
  });
  ref.tell('x');
  await kit.settle();
  expect(kit.failures).toMatchObject([{ path: ref.path, error: { code: 'ACTOR_STASHED_TWICE' } }]);
  expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'x', why: 'stopped' }]);
});

it('a handler that awaits in between stashes its message once, too', async () => {
  await using kit = testKit();
  const ref = kit.system.spawn<string>((context) => async (message) => {
    context.stash(message);
    await Promise.resolve();
    context.stash(message);
  });
  ref.tell('x');
  await kit.settle();
  expect(kit.failures).toMatchObject([{ error: { code: 'ACTOR_STASHED_TWICE' } }]);
});

it('each message may be stashed, and again when it has come back', async () => {
  await using kit = testKit();
  const seen: string[] = [];
  const ref = kit.system.spawn<string>((context) => {
    let opened = 0;
    return async (message) => {
      if (message === 'open') {
        opened += 1;
        return context.unstashAll();
      }
      if (message === 'slow') await Promise.resolve();
      if (opened < 2) return context.stash(message);
      seen.push(message);
    };
  });
  for (const message of ['a', 'slow', 'b', 'open', 'c', 'open']) ref.tell(message);
  await kit.settle();
  expect(seen).toEqual(['a', 'slow', 'b', 'c']);
  expect(kit.system.deadLetters.count).toBe(0);
});
