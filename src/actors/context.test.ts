import { expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { Behaviour, Context, Ref } from './mod.ts';

it('a context has its parent, which the actors at the top do not have, and its system', async () => {
  await using kit = testKit();
  const contexts: Context<never>[] = [];
  const top: Ref<never> = kit.system.spawn<never>((context) => {
    contexts.push(context);
    context.spawn<never>((below) => {
      contexts.push(below);
      return () => undefined;
    });
    return () => undefined;
  });
  expect(contexts.map(({ parent }) => parent)).toEqual([undefined, top]);
  for (const { system } of contexts) expect(system).toBe(kit.system);
});

it('an offer that waits and that the mailbox then cannot take fails at its sender', async () => {
  await using kit = testKit({ copyMessages: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  const handled: unknown[] = [];
  const ref = kit.system.spawn<unknown>(
    () => async (message) => {
      handled.push(message);
      await promise;
    },
    { capacity: 1 },
  );
  ref.tell(1);
  await kit.settle();
  ref.tell(2);
  const offers = [kit.system.offer(ref, () => undefined), kit.system.offer(ref, 3)];
  const outcomes = Promise.allSettled(offers);
  resolve();
  await kit.settle();
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(handled).toEqual([1, 2, 3]);
});

it('a behaviour that returns no function fails to start, at once or later', async () => {
  await using kit = testKit();
  // JavaScript users forget it.
  const behaviours = [() => undefined, async () => undefined] as unknown as Behaviour<string>[];
  for (const behaviour of behaviours) {
    await expect(kit.system.start(behaviour, { name: 'idle' })).rejects.toMatchObject({
      code: 'CONFIG_VALUE',
      message:
        'Expected the behaviour of /idle to return the function that handles its messages, got `undefined` (undefined)',
    });
  }
});
