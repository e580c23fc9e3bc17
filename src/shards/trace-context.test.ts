import { describe, expect, it, onTestFinished } from 'vitest';
import { probe } from '../actors/kit/mod.ts';
import { createSystem, type Ref } from '../actors/mod.ts';
import { createShards } from './mod.ts';
import { patience } from './testing/fixture.ts';
import { type behaviours, type Handled, namedContexts, type Relay, thisModule } from './testing/traced-behaviours.ts';

describe('a trace context', () => {
  it('goes with a message to a shard, on to another one and back', async () => {
    const onMain: Handled[] = [];
    const onShards: Handled[] = [];
    const tracing = namedContexts((handled) => onMain.push(handled));
    const system = createSystem({ tracing });
    const shards = createShards<typeof behaviours>({
      system,
      count: 2,
      module: thisModule,
      options: { handled: { path: '/handled', tell: (handled: Handled) => onShards.push(handled) > 0 } },
    });
    onTestFinished(async () => {
      await system.shutdown();
      await shards.stop();
    });
    const start = (name: string): Promise<Ref<Relay>> => {
      const { start: relay, ...options } = shards.actor('relay', undefined);
      return system.start(relay, { ...options, name });
    };
    const [a, b] = [await start('a'), await start('b')];
    const end = probe<'end'>(system, { name: 'end', patience });
    for (const name of ['one', 'two']) {
      tracing.within({ name }, () => a.tell({ through: [b], end: end.ref }));
    }
    a.tell({ through: [], end: end.ref });
    for (const _ of [1, 2, 3]) await end.expect();
    const contextsAt = (handled: readonly Handled[], path: string): (string | undefined)[] =>
      handled.filter(({ by }) => by === path).map(({ context }) => context);
    await expect.poll(() => onShards.length).toBe(5);
    expect(contextsAt(onShards, '/a')).toEqual(['one', 'two', undefined]);
    expect(contextsAt(onShards, '/b')).toEqual(['one', 'two']);
    expect(contextsAt(onMain, '/end').toSorted()).toEqual(['one', 'two', undefined]);
  });
});
