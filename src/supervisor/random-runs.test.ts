import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Ref } from '../actors/mod.ts';
import { type ChildSpec, child, type Strategy, supervisor } from './mod.ts';
import { Model, type Plan, type Team } from './testing/model.ts';
import { type Order, obedient } from './testing/worker.ts';

type Shape = Omit<Plan, 'id' | 'team'> & {
  readonly team: (Omit<Team, 'plans'> & { shapes: readonly Shape[] }) | undefined;
};

const strategy = fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one');
const kind = {
  restart: fc.constantFrom<Plan['restart']>('permanent', 'transient', 'temporary'),
  significant: fc.boolean(),
};
const { shape, team } = fc.letrec<{ shape: Shape; team: NonNullable<Shape['team']>; worker: Shape; sup: Shape }>(
  (tie) => ({
    team: fc.record({
      strategy,
      intensity: fc.nat({ max: 4 }),
      periodMs: fc.constantFrom(1, 20, 1_000),
      autoShutdown: fc.constantFrom<Team['autoShutdown']>('never', 'never', 'any_significant', 'all_significant'),
      shapes: fc.array(tie('shape'), { minLength: 1, maxLength: 5 }),
    }),
    worker: fc.record({ ...kind, team: fc.constant(undefined) }),
    sup: fc.record({ ...kind, team: tie('team') }),
    shape: fc.oneof({ maxDepth: 3 }, tie('worker'), tie('worker'), tie('sup')),
  }),
);
const steps = fc.array(
  fc.record({
    target: fc.nat(),
    order: fc.constantFrom<Order>('crash', 'crash', 'exit'),
    waitMs: fc.constantFrom(0, 0, 1, 30),
  }),
  { maxLength: 40 },
);

it('whoever ends, and how: what is started and ended, and in which order, is what the contract says', async () => {
  await fc.assert(
    fc.asyncProperty(team, steps, async (top, script) => {
      await using kit = testKit();
      const expected: string[] = [];
      const model = new Model(
        { id: 'top', restart: 'temporary', significant: false, team: named(top, 'top') },
        expected,
      );
      model.start();
      const world = newWorld();
      const ref = await kit.system.start(world.supervisorOf(named(top, 'top')));
      const isUp = (): boolean => kit.system.tree().children.some(({ path }) => path === ref.path);
      for (const { target, order, waitMs } of script) {
        const workers = model.workers;
        const one = workers[target % Math.max(1, workers.length)];
        if (one === undefined) break;
        one.end(order === 'crash', kit.clock.monotonic());
        expect(world.refs.get(one.plan.id)?.tell(order)).toBe(true);
        await kit.settle();
        expect(world.log).toEqual(expected);
        expect(isUp()).toBe(model.running);
        await kit.advance(waitMs);
      }
      model.stop();
      await kit.shutdown();
      expect(world.log).toEqual(expected);
      expect(world.log.filter((line) => line.startsWith('+'))).toHaveLength(world.log.length / 2);
    }),
  );
});

it('and so it is for workers alone, whatever their number', async () => {
  const flat = fc.array(
    shape.filter((one) => one.team === undefined),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(strategy, flat, steps, async (which, shapes, script) => {
      await using kit = testKit();
      const plans = named({ strategy: which, intensity: 1_000, periodMs: 1, autoShutdown: 'never', shapes }, 'top');
      const expected: string[] = [];
      const model = new Model({ id: 'top', restart: 'temporary', significant: false, team: plans }, expected);
      model.start();
      const world = newWorld();
      await kit.system.start(world.supervisorOf(plans));
      for (const { target, order } of script) {
        const workers = model.workers;
        const one = workers[target % Math.max(1, workers.length)];
        one?.end(order === 'crash', kit.clock.monotonic());
        if (one !== undefined) world.refs.get(one.plan.id)?.tell(order);
        await kit.settle();
      }
      expect(world.log).toEqual(expected);
    }),
  );
});

/** Gives each actor a name of its own, and changes whatever a supervisor would refuse. */
function named({ shapes, ...flags }: NonNullable<Shape['team']>, id: string): Team {
  const plans = shapes.map(({ team: below, ...plan }, index): Plan => {
    const own = `${id}.${index}`;
    const significant = plan.significant && plan.restart !== 'permanent' && flags.autoShutdown !== 'never';
    return { ...plan, id: own, significant, ...(below === undefined ? {} : { team: named(below, own) }) };
  });
  return { ...flags, plans };
}

function newWorld() {
  const log: string[] = [];
  const refs = new Map<string, Ref<Order>>();
  const specOf = ({ id, restart, significant, team: below }: Plan): ChildSpec => {
    if (below !== undefined) return child({ id, restart, significant, start: supervisorOf(below) });
    return child<Order>({ id, restart, significant, start: obedient(log, id), onRef: (own) => refs.set(id, own) });
  };
  const supervisorOf = ({ plans, ...flags }: Team) => supervisor({ ...flags, children: plans.map(specOf) });
  return { log, refs, supervisorOf };
}
