import { describe, expect, expectTypeOf, it } from 'vitest';
import { isFailure, type TestKit, testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../actors/mod.ts';
import {
  type ChildTemplate,
  child,
  countChildren,
  type DynamicSupervisorMessage,
  type DynamicSupervisorSpec,
  dynamicSupervisor,
  ignore,
  startInstance,
  supervisor,
  terminateInstance,
  whichChildren,
} from './mod.ts';
import { childrenOf, type Order, obedient, start, taken, worker } from './testing/worker.ts';

type Sup = Ref<DynamicSupervisorMessage<string, Order>>;

/** A dynamic supervisor of obedient children, each started with its name. */
async function dynamic(
  kit: TestKit,
  more: Partial<DynamicSupervisorSpec<string, Order>> = {},
  template: Partial<ChildTemplate<string, Order>> = {},
): Promise<{ ref: Sup; log: string[]; add: (name: string) => Promise<Ref<Order>> }> {
  const log: string[] = [];
  const spec = { intensity: 100, template: { start: (name: string) => obedient(log, name), ...template }, ...more };
  const ref: Sup = await kit.system.start(dynamicSupervisor<string, Order>(spec), {
    stopTimeoutMs: Number.POSITIVE_INFINITY,
  });
  const add = async (name: string): Promise<Ref<Order>> => {
    const one = await startInstance(kit.system, ref, name);
    if (one === undefined) throw new Error(`${name} was not wanted`);
    return one;
  };
  return { ref, log, add };
}

describe('a dynamic supervisor (simple_one_for_one)', () => {
  it('starts with no child', async () => {
    await using kit = testKit();
    const { ref, log } = await dynamic(kit);
    expect(await childrenOf(kit, ref)).toEqual([]);
    expect(log).toEqual([]);
  });

  it('starts children from its one template, each with its own arguments', async () => {
    await using kit = testKit();
    const { ref, log, add } = await dynamic(kit);
    const a = await add('a');
    const b = await add('b');
    expect(taken(log)).toBe('+a +b');
    expect((await whichChildren(kit.system, ref)).map((info) => info.ref)).toEqual([a, b]);
  });

  it('restarts a child with its own arguments, and touches no other', async () => {
    await using kit = testKit();
    const { log, add } = await dynamic(kit);
    const a = await add('a');
    await add('b');
    taken(log);
    a.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-a +a');
  });

  it('restarts by type: permanent always, transient after a crash, temporary never', async () => {
    for (const [restart, order, after] of [
      ['permanent', 'exit', '-a +a'],
      ['transient', 'crash', '-a +a'],
      ['transient', 'exit', '-a'],
      ['temporary', 'crash', '-a'],
    ] as const) {
      await using kit = testKit();
      const { log, add } = await dynamic(kit, {}, { restart });
      const a = await add('a');
      taken(log);
      a.tell(order);
      await kit.settle();
      expect([restart, order, taken(log)]).toEqual([restart, order, after]);
    }
  });

  it.each(['transient', 'temporary'] as const)(
    'forgets a %s child that has ended and is not restarted',
    async (restart) => {
      await using kit = testKit();
      const { ref, add } = await dynamic(kit, {}, { restart });
      const a = await add('a');
      a.tell('exit');
      await kit.settle();
      expect(await childrenOf(kit, ref)).toEqual([]);
    },
  );

  it('ends and forgets the child whose ref it is given', async () => {
    await using kit = testKit();
    const { ref, log, add } = await dynamic(kit);
    const a = await add('a');
    await add('b');
    taken(log);
    await terminateInstance(kit.system, ref, a);
    expect(taken(log)).toBe('-a');
    expect(await childrenOf(kit, ref)).toEqual(['2 running']);
  });

  it('leaves its own child alone if another supervisor has a child of the same number', async () => {
    await using kit = testKit();
    const [one, other] = [await dynamic(kit), await dynamic(kit)];
    await one.add('own');
    const stranger = await other.add('stranger');
    const unknown = { code: 'SUPERVISOR_CHILD_UNKNOWN' };
    await expect(terminateInstance(kit.system, one.ref, stranger)).rejects.toMatchObject(unknown);
    expect(await childrenOf(kit, one.ref)).toEqual(['1 running']);
    expect(await childrenOf(kit, other.ref)).toEqual(['1 running']);
  });

  it('refuses the ref of an actor that is no child of it, and takes one that has ended for ended', async () => {
    await using kit = testKit();
    const { ref, add } = await dynamic(kit);
    const a = await add('a');
    await terminateInstance(kit.system, ref, a);
    const unknown = { code: 'SUPERVISOR_CHILD_UNKNOWN' };
    await terminateInstance(kit.system, ref, a);
    await expect(terminateInstance(kit.system, ref, ref)).rejects.toMatchObject(unknown);
  });

  it('cannot be told to restart or delete a child, nor to end one by its id', () => {
    type Kinds = DynamicSupervisorMessage<string>['kind'];
    expectTypeOf<Kinds>().toEqualTypeOf<'start-child' | 'terminate-child' | 'which-children' | 'count-children'>();
    expectTypeOf<Extract<DynamicSupervisorMessage<string>, { kind: 'terminate-child' }>>().not.toHaveProperty('id');
  });

  it('stops its children all at once, so that one that takes long holds up no other', async () => {
    await using kit = testKit();
    const { ref, log, add } = await dynamic(kit, {}, { shutdown: 70 });
    for (const name of ['a', 'b', 'c']) {
      const one = await add(name);
      if (name !== 'b') one.tell('hang');
    }
    taken(log);
    await kit.settle();
    const stopped = kit.system.stop(ref);
    await kit.settle();
    expect(taken(log)).toBe('-b');
    await kit.advance(70);
    await stopped;
    expect(taken(log)).toBe('-a -c');
    expect(kit.clock.monotonic()).toBe(70);
  });

  it('gives up after more restarts than its intensity, of whichever children', async () => {
    await using kit = testKit();
    const { ref, log, add } = await dynamic(kit, { intensity: 1 });
    const [a, b, c] = [await add('a'), await add('b'), await add('c')];
    const ended = kit.system.ended(ref);
    a.tell('crash');
    await kit.settle();
    expect(c.tell('hang')).toBe(true);
    taken(log);
    b.tell('crash');
    await kit.advance(5_000);
    expect(isFailure('SUPERVISOR_INTENSITY')(await ended)).toBe(true);
    expect(taken(log)).toBe('-b -a -c');
  });

  it('keeps nothing of a child that does not start, and says why', async () => {
    await using kit = testKit();
    const failing: Behaviour<Order> = () => {
      throw new Error('no disk');
    };
    const starts = [() => failing, () => Promise.reject(new Error('no disk'))] as const;
    const thrown = (): never => {
      throw new Error('no disk');
    };
    for (const start_ of [starts[0], () => starts[1], thrown]) {
      const { ref } = await dynamic(kit, {}, { start: start_ });
      await expect(startInstance(kit.system, ref, 'a')).rejects.toMatchObject({
        code: 'SUPERVISOR_START_FAILED',
        cause: { message: 'no disk' },
      });
      expect(await childrenOf(kit, ref)).toEqual([]);
    }
  });

  it('keeps nothing of a child that is not wanted', async () => {
    await using kit = testKit();
    const { ref } = await dynamic(kit, {}, { start: () => () => ignore });
    expect(await startInstance(kit.system, ref, 'a')).toBeUndefined();
    expect(await childrenOf(kit, ref)).toEqual([]);
  });

  it('keeps nothing either of one that is no longer wanted when it is restarted', async () => {
    await using kit = testKit();
    let starts = 0;
    const start_ = (name: string): Behaviour<Order> => {
      const wanted = obedient([], name);
      return (context) => (++starts === 1 ? wanted(context) : ignore);
    };
    const { ref, add } = await dynamic(kit, {}, { start: start_ });
    const a = await add('a');
    a.tell('crash');
    await kit.settle();
    expect([starts, await childrenOf(kit, ref)]).toEqual([2, []]);
  });

  it('tries again a restart that failed, as a restart more', async () => {
    await using kit = testKit();
    let starts = 0;
    const start_ = (name: string): Behaviour<Order> => {
      const ok = obedient([], name);
      return (context) => {
        starts += 1;
        if (starts === 2 || starts === 3) throw new Error('not yet');
        return ok(context);
      };
    };
    const { ref, add } = await dynamic(kit, { intensity: 3 }, { start: start_ });
    const a = await add('a');
    a.tell('crash');
    await kit.settle();
    expect(starts).toBe(4);
    expect(await childrenOf(kit, ref)).toEqual(['1 running']);
  });

  it('counts one spec, however many children, and what they are', async () => {
    await using kit = testKit();
    const { ref, add } = await dynamic(kit);
    await add('a');
    await add('b');
    expect(await countChildren(kit.system, ref)).toEqual({ specs: 1, active: 2, supervisors: 0, workers: 2 });
    const nested = await kit.system.start(
      dynamicSupervisor({ template: { start: (_: number) => supervisor({ children: [] }) } }),
    );
    await startInstance(kit.system, nested, 1);
    expect(await countChildren(kit.system, nested)).toEqual({ specs: 1, active: 1, supervisors: 1, workers: 0 });
  });

  it('has no auto-shutdown and no significant children', async () => {
    await using kit = testKit();
    const refused = { code: 'SUPERVISOR_SPEC_INVALID', message: expect.stringContaining('dynamic supervisor') };
    for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
      await expect(dynamic(kit, { autoShutdown })).rejects.toMatchObject(refused);
    }
    await expect(dynamic(kit, {}, { restart: 'transient', significant: true })).rejects.toMatchObject(refused);
  });

  it('refuses a template that makes no sense when it starts', async () => {
    await using kit = testKit();
    const refused = { code: 'SUPERVISOR_SPEC_INVALID' };
    await expect(dynamic(kit, {}, { significant: true, restart: 'transient' })).rejects.toMatchObject(refused);
    await expect(dynamic(kit, { intensity: -1 })).rejects.toMatchObject(refused);
  });

  it('may stand under another supervisor, which waits for its children', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const inner = dynamicSupervisor({ template: { start: (name: string) => obedient(log, name), shutdown: 20_000 } });
    let pool: Sup | undefined;
    const children = [worker(log, 'x').spec, child({ id: 'pool', start: inner, onRef: (own) => (pool = own) })];
    const ref = await start(kit, { children });
    if (pool === undefined) throw new Error('not started');
    const a = await startInstance(kit.system, pool, 'a');
    a?.tell('hang');
    await kit.settle();
    taken(log);
    const stopped = kit.system.stop(ref, Number.POSITIVE_INFINITY);
    await kit.advance(20_000);
    await stopped;
    expect(taken(log)).toBe('-a -x');
  });
});
