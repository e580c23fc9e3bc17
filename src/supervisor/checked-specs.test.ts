import { describe, expect, expectTypeOf, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../actors/mod.ts';
import {
  type ChildOptions,
  type ChildSpec,
  checkChildSpecs,
  child,
  childRef,
  type DynamicSupervisorSpec,
  dynamicSupervisor,
  ignore,
  type SupervisorSpec,
  startChild,
  startInstance,
  supervisor,
  whichChildren,
} from './mod.ts';

const idle: Behaviour<string> = () => () => undefined;

it('a misspelt option is refused with the names of all that a child, or a template, has', async () => {
  await using kit = testKit();
  // As below.
  const restrat = { restrat: 'transient' } as object;
  const all =
    'start, restart, shutdown, significant, backOff, restartLimit, onError, capacity, overflow, stopTimeoutMs, startTimeoutMs, mailbox, got `restrat`';
  const children = [child({ id: 'a', start: idle, ...restrat })];
  const refused = (names: string): object => ({
    code: 'SUPERVISOR_SPEC_INVALID',
    message: expect.stringContaining(names),
  });
  const named = all.replace('onError', 'onError, onRef');
  await expect(kit.system.start(supervisor({ children }))).rejects.toMatchObject(refused(`only id, ${named}`));
  const template = { start: () => idle, ...restrat };
  await expect(kit.system.start(dynamicSupervisor({ template }))).rejects.toMatchObject(refused(`only ${all}`));
  // JavaScript users pass anything.
  expect(() => child(undefined as unknown as ChildOptions<string>)).toThrow('the options of a child to be an object');
});

describe('a spec that cannot be', () => {
  // JavaScript users pass anything.
  const bad = (options: object) => child({ id: 'bad', start: idle, ...options } as ChildOptions<string>);
  const specs: readonly [string, object, string][] = [
    ['an id with a slash', { id: 'eu/west' }, 'without "/"'],
    ['an empty id', { id: '' }, 'at least one character'],
    ['no id', { id: undefined }, 'got `undefined`'],
    ['a capacity below 0', { capacity: -1 }, '`capacity`'],
    ['an unknown overflow', { overflow: 'drop' }, '`overflow`'],
    ['a misspelt option', { capcity: 5 }, '`capcity`'],
    ['a misspelt restart', { restart: 'permanant' }, '`permanant`'],
    ['a misspelt shutdown', { shutdown: 'brutl' }, '`brutl`'],
    ['a shutdown that is no number', { shutdown: Number.NaN }, '`shutdown`'],
    ['a significance that is a word', { significant: 'yes' }, '`significant`'],
    ['a shutdown that is a text', { shutdown: '500' }, '`500` (string)'],
    ['a start that is no function', { start: 'idle' }, '`idle` (string)'],
    ['a decider that is no function', { onError: 'stop' }, '`onError` of child "bad"'],
    ['an `onRef` that is no function', { onRef: {} }, '`onRef` of child "bad"'],
    ['a name besides its id', { name: 'other' }, '`name`'],
    ['a capacity that is a text', { capacity: '5' }, '`5` (string)'],
    ['no time to start', { startTimeoutMs: 0 }, '`startTimeoutMs`'],
    ['a time to stop that is no number', { stopTimeoutMs: Number.NaN }, '`stopTimeoutMs`'],
    ['a back-off that is a text', { backOff: 'slow' }, '`slow` (string)'],
    ['a wait that is a text', { backOff: { minMs: '1', maxMs: 2 } }, '`1` (string)'],
    ['waits that grow without end', { backOff: { minMs: 1, maxMs: 2, factor: Number.POSITIVE_INFINITY } }, '`factor`'],
    ['a limit without a period', { restartLimit: { intensity: 1 } }, '`periodMs` in `restartLimit` of child "bad"'],
    ['a limit without end', { restartLimit: { intensity: Number.POSITIVE_INFINITY, periodMs: 1 } }, '`Infinity`'],
    ['a misspelt limit', { restartLimit: { intensty: 1, periodMs: 1 } }, '`intensty`'],
    ['a misspelt back-off', { backOff: { minMs: 1, maxMs: 2, faktor: 2 } }, '`faktor`'],
  ];

  it.each(specs)('with %s is refused before any child starts', async (_what, options, named) => {
    await using kit = testKit();
    let started = 0;
    const first = child({
      id: 'first',
      start: () => {
        started += 1;
        return () => undefined;
      },
    });
    const refused = { code: 'SUPERVISOR_SPEC_INVALID', message: expect.stringContaining(named) };
    await expect(kit.system.start(supervisor({ children: [first, bad(options)] }))).rejects.toMatchObject(refused);
    expect(started).toBe(0);
    expect(() => checkChildSpecs([bad(options)])).toThrow(expect.objectContaining(refused));
  });

  it('is refused if it was made by hand and misses or adds a field', () => {
    const spec = child({ id: 'own', start: idle });
    const refused = (message: string) => expect.objectContaining({ code: 'SUPERVISOR_SPEC_INVALID', message });
    const added = { ...spec, shutdwon: 5 };
    expect(() => checkChildSpecs([added])).toThrow(refused(expect.stringContaining('`shutdwon`')));
    // As above.
    const { restart: _, ...less } = spec;
    const missing = less as typeof spec;
    expect(() => checkChildSpecs([missing])).toThrow(refused(expect.stringContaining('`restart` of child "own"')));
    // As above.
    const bare = { ...spec, options: undefined } as unknown as typeof spec;
    expect(() => checkChildSpecs([bare])).toThrow(refused(expect.stringContaining('`options` of child "own"')));
  });

  it('is a hole in the list, too', () => {
    const holes: ChildSpec[] = [];
    holes[1] = child({ id: 'a', start: idle });
    expect(() => checkChildSpecs(holes)).toThrow(/got `undefined` \(undefined\)/);
  });

  it('is not looked at with an auto-shutdown that there is not', () => {
    // As above.
    expect(() => checkChildSpecs([], 'always' as 'never')).toThrow(/`autoShutdown`.*got `always`/);
  });

  const flags: readonly [string, object, string][] = [
    ['a misspelt strategy', { strategy: 'none_for_one' }, '`none_for_one`'],
    ['a misspelt flag', { intensty: 3 }, '`intensty`'],
    ['a misspelt auto-shutdown', { autoShutdown: 'any' }, '`any`'],
    ['children that are no list', { children: {} }, '`children`'],
    ['a child that is no spec', { children: [undefined] }, '`child`'],
    ['a period without end', { periodMs: Number.POSITIVE_INFINITY }, '`Infinity`'],
    ['a period that is no number', { periodMs: Number.NaN }, '`NaN`'],
    ['a period that is a text', { periodMs: '5000' }, '`5000` (string)'],
    ['an intensity that is a text', { intensity: '3' }, '`3` (string)'],
    ['an intensity that is a bigint', { intensity: 3n }, '`3n` (bigint)'],
    ['chance that is no function', { random: 0.5 }, '`random`'],
    ['an object where a word is due', { strategy: { of: 'one_for_one' } }, "`{ of: 'one_for_one' }` (object)"],
  ];

  it.each(flags)('of a supervisor with %s is refused', async (_what, options, named) => {
    await using kit = testKit();
    // As above.
    const starting = kit.system.start(supervisor({ children: [], ...options } as SupervisorSpec));
    await expect(starting).rejects.toMatchObject({
      code: 'SUPERVISOR_SPEC_INVALID',
      message: expect.stringContaining(named),
    });
  });
});

describe('the options of a supervisor', () => {
  it('are an object', async () => {
    await using kit = testKit();
    for (const nothing of [undefined, null]) {
      // As above.
      const starting = kit.system.start(supervisor(nothing as unknown as SupervisorSpec));
      await expect(starting).rejects.toMatchObject({ code: 'SUPERVISOR_SPEC_INVALID' });
    }
  });
});

describe('a template that cannot be', () => {
  const templates: readonly [string, unknown, string][] = [
    ['that is nothing', undefined, '`template`'],
    ['without a start', {}, '`start` of the template'],
    ['with an id', { start: () => idle, id: 'a' }, '`id`'],
    ['that receives the ref of a child', { start: () => idle, onRef: () => undefined }, '`onRef`'],
    ['with a misspelt option', { start: () => idle, overflw: 'fail' }, '`overflw`'],
  ];

  it.each(templates)('%s is refused when the supervisor starts', async (_what, template, named) => {
    await using kit = testKit();
    // As above.
    const starting = kit.system.start(dynamicSupervisor({ template } as DynamicSupervisorSpec<string, string>));
    await expect(starting).rejects.toMatchObject({
      code: 'SUPERVISOR_SPEC_INVALID',
      message: expect.stringContaining(named),
    });
  });

  it('because it makes no behaviour is told at each start', async () => {
    await using kit = testKit();
    // As above.
    const start = (() => undefined) as unknown as () => Behaviour<string>;
    const root = await kit.system.start(dynamicSupervisor<string, string>({ template: { start } }));
    await expect(startInstance(kit.system, root, 'a')).rejects.toMatchObject({
      code: 'SUPERVISOR_START_FAILED',
      message: expect.stringContaining('`start` of the template'),
    });
  });
});

describe('the ref of a child', () => {
  it('has the type of its messages', async () => {
    await using kit = testKit();
    const root = await kit.system.start(supervisor({ children: [] }));
    const spec = child<string>({ id: 'a', start: idle });
    const started = await startChild(kit.system, root, spec);
    const found = await childRef(kit.system, root, spec);
    expectTypeOf(started).toEqualTypeOf<Ref<string> | undefined>();
    expectTypeOf(found).toEqualTypeOf<Ref<string> | undefined>();
    expectTypeOf(child({ id: 'b', start: idle })).toEqualTypeOf<typeof spec>();
    expect(started).toBe(found);
  });

  it('that was not wanted is none', async () => {
    await using kit = testKit();
    const root = await kit.system.start(supervisor({ children: [child({ id: 'a', start: () => ignore })] }));
    expect(await whichChildren(kit.system, root)).toMatchObject([{ id: 'a', ref: undefined }]);
  });
});

describe('a supervisor at the top', () => {
  const slow: Behaviour<never> = (context) => {
    context.onStop(() => new Promise<void>((resolve) => void context.clock.timer(40_000, resolve)));
    return () => undefined;
  };

  it.each(['stop', 'shutdown'] as const)('waits as long as its children may (%s)', async (call) => {
    await using kit = testKit();
    const spec = child({ id: 'db', shutdown: 'infinite', start: slow });
    const root = await kit.system.start(supervisor({ children: [spec] }));
    const ended = kit.system.ended(root);
    void (call === 'stop' ? kit.system.stop(root) : kit.system.shutdown());
    await kit.advance(40_000);
    expect((await ended).reason).toEqual({ kind: 'shutdown' });
    expect(kit.failures).toEqual([]);
  });

  it('reads the end of a child that it does not wait for as killed', async () => {
    await using kit = testKit();
    const spec = child<string>({ id: 'a', shutdown: 'brutal', start: idle });
    const root = await kit.system.start(supervisor({ children: [spec] }));
    const a = await childRef(kit.system, root, spec);
    if (a === undefined) throw new Error('it runs');
    const ended = kit.system.ended(a);
    await kit.system.stop(root);
    expect((await ended).reason).toEqual({ kind: 'killed' });
  });
});
