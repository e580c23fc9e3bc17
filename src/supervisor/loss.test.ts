import { expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { child, supervisor, whichChildren } from './mod.ts';

/** Fails as an actor does whose thread is lost. */
const placed: Behaviour<string> = () => (lossId) => {
  throw new ShoalError('SHARD_LOST', 'its thread is lost', { details: { lossId } });
};

async function after(lossIds: readonly string[], intensity: number): Promise<readonly string[] | undefined> {
  await using kit = testKit();
  const refs: Ref<string>[] = [];
  const children = ['a', 'b', 'c'].map((id) => child<string>({ id, start: placed, onRef: (ref) => refs.push(ref) }));
  const root = await kit.system.start(supervisor({ intensity, children }));
  for (const [index, lossId] of lossIds.entries()) refs[index]?.tell(lossId);
  await kit.settle();
  const isUp = kit.system.tree().children.some(({ path }) => path === root.path);
  return isUp ? (await whichChildren(kit.system, root)).map(({ state }) => state) : undefined;
}

it('the loss of a thread counts once against the intensity, however many children lived there', async () => {
  expect(await after(['one', 'one', 'one'], 1)).toEqual(['running', 'running', 'running']);
  expect(await after(['one', 'one', 'one'], 0)).toBeUndefined();
});

it('two losses count twice', async () => {
  expect(await after(['one', 'two', 'two'], 1)).toBeUndefined();
  expect(await after(['one', 'two', 'two'], 2)).toEqual(['running', 'running', 'running']);
});
