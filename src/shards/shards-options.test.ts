import { describe, expect, it } from 'vitest';
import { createSystem, silentLogger } from '../actors/mod.ts';
import { type ActorOptions, createShards, moduleBeside, type ShardsOptions } from './mod.ts';
import type { TestBehaviours } from './testing/fixture.ts';
import { shardsFixture } from './testing/fixture.ts';

type Options = ShardsOptions<TestBehaviours>;

const MODULE = moduleBeside(import.meta.url, 'testing/behaviours');

/** What is refused, and how the error names it. JavaScript users pass anything. */
const REFUSED: readonly [options: object, named: string][] = [
  [{ count: 0 }, '`count` to be a whole number from 1 up, got `0` (number)'],
  [{ count: '2' }, 'got `2` (string)'],
  [{ count: undefined }, '`count`'],
  [{ system: {} }, '`system`'],
  [{ module: './behaviours.js' }, '`module` to be a URL'],
  [{ heapMbMax: -1 }, '`heapMbMax` to be a number of megabytes from 16 up, got `-1` (number)'],
  [{ heapMbMax: 1 }, '`heapMbMax`'],
  [{ heapMbMax: Number.NaN }, '`heapMbMax`'],
  [{ bufferMbMax: 0 }, '`bufferMbMax`'],
  [{ hangMs: 0 }, '`hangMs` to be a number of milliseconds above 0, got `0` (number)'],
  [{ hangMs: '2000' }, '`hangMs`'],
  [{ hangMs: 400 }, '`hangMs` to be above `beatMs` (500)'],
  [{ hangMs: 300, beatMs: 300 }, '`hangMs` to be above `beatMs` (300)'],
  [{ beatMs: Number.POSITIVE_INFINITY }, '`beatMs`'],
  [{ startMs: -1 }, '`startMs`'],
  [{ onEvent: true }, '`onEvent`'],
  [{ heapMaxMb: 64 }, 'got `heapMaxMb`'],
];

describe('the options of shards', () => {
  it.each(REFUSED)('are checked before a thread starts: %o', (options, named) => {
    const system = createSystem({ logger: silentLogger });
    const given = {
      system,
      count: 1,
      module: MODULE,
      options: { loaded: { path: '/x', tell: () => true } },
      ...options,
    };
    // As said above.
    expect(() => createShards<TestBehaviours>(given as Options)).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining(named) }),
    );
  });

  it('of its actors and of its end are checked too', async () => {
    await using fixture = shardsFixture({ count: 1, heapMbMax: 16 });
    // As above.
    const actor = (options: object) => () => fixture.shards.actor('worker', {}, options as ActorOptions);
    expect(actor({ capacity: Number.NaN })).toThrow('`capacity`');
    expect(actor({ capacity: 0 })).toThrow('`capacity` to be a whole number from 1 up, or Infinity');
    expect(actor({ overflow: 'backpressure' })).toThrow('`overflow` to be fail, drop-oldest or drop-newest');
    expect(actor({ onPlaced: 'log' })).toThrow('`onPlaced`');
    expect(actor({ stopTimeoutMs: -1 })).toThrow('`stopTimeoutMs`');
    const { shards } = fixture;
    // As above.
    expect(() => shards.replace('0' as unknown as number, 'why')).toThrow('`shard` to be the number of a shard');
    expect(() => shards.replace(0, undefined as unknown as string)).toThrow('`why` to be a text');
    await expect(shards.injectFault(-1, 'exit')).rejects.toThrow('`shard`');
    // As above.
    expect(() => moduleBeside(undefined as unknown as string, 'x')).toThrow('`here` to be a text');
    await expect(fixture.shards.stop(Number.NaN)).rejects.toThrow('`timeoutMs`');
    // The smallest heap is enough for a shard to run.
    expect(await fixture.worker('w')).toBeDefined();
  });
});

it.each([
  ['file:///a/main.ts', 'file:///a/b.ts'],
  ['file:///a/main.js', 'file:///a/b.js'],
  ['file:///a/main.mjs', 'file:///a/b.mjs'],
  ['file:///a/main.mts', 'file:///a/b.mts'],
  ['file:///a/main.cjs', 'file:///a/b.cjs'],
  ['file:///a/main.mjs?v=1.js', 'file:///a/b.mjs'],
  ['file:///a/main.tsx', 'file:///a/b.js'],
])('a module beside %s is %s', (here, module) => {
  expect(moduleBeside(here, 'b').href).toBe(module);
});
