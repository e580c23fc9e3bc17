import { expect, test } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import type { Context } from '../../actors/mod.ts';
import { actorRows } from './actors.ts';

test('actors come before their children, and what does not go into one answer is counted', async () => {
  await using kit = testKit();
  const idle = () => () => undefined;
  const parent = (context: Context<string>) => {
    context.spawn(idle, { name: 'child' });
    return () => undefined;
  };
  kit.system.spawn(parent, { name: 'one' }).tell('hello');
  kit.system.spawn(idle, { name: 'two' });
  await kit.settle();
  const { actors, left_out } = actorRows(kit.system.tree());
  expect(actors.map(({ path }) => path)).toEqual(['/', '/one', '/one/child', '/two']);
  expect(actors[1]).toEqual({ path: '/one', state: 'running', depth: 0, handled: 1, restarts: 0, shard: 'main' });
  expect(left_out).toBe(0);
  expect(actorRows(kit.system.tree(), 1)).toMatchObject({ actors: [{ path: '/' }], left_out: 3 });
});
