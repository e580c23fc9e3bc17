import { describe, expect, expectTypeOf, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../actors/mod.ts';
import {
  type ChildOptions,
  checkChildSpecs,
  child,
  childRef,
  ignore,
  type SupervisorSpec,
  startChild,
  supervisor,
  whichChildren,
} from './mod.ts';

const idle: Behaviour<string> = () => () => undefined;

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
    ['a start that is no function', { start: 'idle' }, '`child`'],
    ['a decider that is no function', { onError: 'stop' }, '`onError`'],
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

  const flags: readonly [string, object, string][] = [
    ['a misspelt strategy', { strategy: 'none_for_one' }, '`none_for_one`'],
    ['a misspelt flag', { intensty: 3 }, '`intensty`'],
    ['a misspelt auto-shutdown', { autoShutdown: 'any' }, '`any`'],
    ['children that are no list', { children: {} }, '`children`'],
    ['a child that is no spec', { children: [undefined] }, '`child`'],
    ['a period without end', { periodMs: Number.POSITIVE_INFINITY }, '`Infinity`'],
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

describe('the ref of a child', () => {
  it('has the type of its messages', async () => {
    await using kit = testKit();
    const root = await kit.system.start(supervisor({ children: [] }));
    const spec = child<string>({ id: 'a', start: idle });
    const started = await startChild(kit.system, root, spec);
    const found = await childRef(kit.system, root, spec);
    expectTypeOf(started).toEqualTypeOf<Ref<string> | undefined>();
    expectTypeOf(found).toEqualTypeOf<Ref<string> | undefined>();
    expect(started).toBe(found);
  });

  it('that was not wanted is none', async () => {
    await using kit = testKit();
    const root = await kit.system.start(supervisor({ children: [child({ id: 'a', start: () => ignore })] }));
    expect(await whichChildren(kit.system, root)).toMatchObject([{ id: 'a', ref: undefined }]);
  });
});

describe('a supervisor at the top', () => {
  it('waits as long as its children may', async () => {
    await using kit = testKit();
    const slow: Behaviour<never> = (context) => {
      context.onStop(() => new Promise<void>((resolve) => void context.clock.timer(40_000, resolve)));
      return () => undefined;
    };
    const root = await kit.system.start(
      supervisor({ children: [child({ id: 'db', shutdown: 'infinite', start: slow })] }),
    );
    const ended = kit.system.ended(root);
    void kit.system.stop(root);
    await kit.advance(40_000);
    expect((await ended).reason).toEqual({ kind: 'shutdown' });
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
