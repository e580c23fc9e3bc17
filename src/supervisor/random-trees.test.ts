import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Context, Ref } from '../actors/mod.ts';
import {
  type AutoShutdown,
  type ChildSpec,
  child,
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  type Strategy,
  supervisor,
} from './mod.ts';

const never = new Promise<never>(() => undefined);

type Order = 'work' | 'crash' | 'crash later' | 'exit' | 'hang' | 'spawn';
type Start = 'at once' | 'later' | 'fails' | 'fails later' | 'hangs' | 'asks for its end';
type CleanUp = 'at once' | 'later' | 'fails' | 'hangs';

interface WorkerPlan {
  readonly kind: 'worker';
  readonly start: Start;
  readonly cleanUp: CleanUp;
  readonly restart: ChildSpec['restart'];
  readonly shutdown: ChildSpec['shutdown'];
  readonly significant: boolean;
}

interface SupervisorPlan {
  readonly kind: 'supervisor';
  readonly strategy: Strategy;
  readonly autoShutdown: AutoShutdown;
  readonly intensity: number;
  /** Whether restarts wait for a while. */
  readonly waits: boolean;
  readonly restart: ChildSpec['restart'];
  readonly children: readonly Plan[];
}

/** A dynamic supervisor that is told to start each of these as soon as it runs. */
interface PoolPlan {
  readonly kind: 'pool';
  readonly intensity: number;
  readonly waits: boolean;
  readonly restart: ChildSpec['restart'];
  readonly workers: readonly WorkerPlan[];
}

type Plan = WorkerPlan | SupervisorPlan | PoolPlan;

const restart = fc.constantFrom<ChildSpec['restart']>('permanent', 'transient', 'temporary');
const oftenAtOnce = <T>(...others: T[]): fc.Arbitrary<T | 'at once'> =>
  fc.oneof(
    { weight: 15, arbitrary: fc.constant('at once' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const plans = fc.letrec<{ tree: SupervisorPlan; node: Plan; worker: WorkerPlan; pool: PoolPlan }>((tie) => ({
  worker: fc.record({
    kind: fc.constant('worker' as const),
    start: oftenAtOnce<Start>('later', 'fails', 'fails later', 'hangs', 'asks for its end'),
    cleanUp: oftenAtOnce<CleanUp>('later', 'fails', 'hangs'),
    restart,
    shutdown: fc.constantFrom<ChildSpec['shutdown']>('brutal', 20, 1000),
    significant: fc.boolean(),
  }),
  tree: fc.record({
    kind: fc.constant('supervisor' as const),
    strategy: fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one'),
    autoShutdown: fc.constantFrom<AutoShutdown>('never', 'never', 'any_significant', 'all_significant'),
    intensity: fc.nat({ max: 10 }),
    waits: fc.boolean(),
    restart,
    children: fc.array(tie('node'), { minLength: 1, maxLength: 5 }),
  }),
  pool: fc.record({
    kind: fc.constant('pool' as const),
    intensity: fc.nat({ max: 10 }),
    waits: fc.boolean(),
    restart,
    workers: fc.array(tie('worker'), { maxLength: 5 }),
  }),
  node: fc.oneof({ maxDepth: 3 }, tie('worker'), tie('worker'), tie('pool'), tie('tree')),
}));

const steps = fc.array(
  fc.record({
    target: fc.nat(),
    order: fc.constantFrom<Order>('work', 'crash', 'crash later', 'exit', 'hang', 'spawn'),
    waitMs: fc.constantFrom(0, 0, 0, 1, 30),
  }),
  { maxLength: 40 },
);

it('whatever crashes, hangs or ends when: after shutdown nothing is alive, cleaned up is all, no rejection is unhandled', async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listener);
  try {
    await fc.assert(
      fc.asyncProperty(plans.tree, steps, fc.boolean(), async (tree, script, whileBusy) => {
        const kit = testKit();
        const world = newWorld(kit.clock.timer.bind(kit.clock));
        kit.system.spawn(world.behaviourOf(tree));
        await kit.advance(1);
        for (const { target, order, waitMs } of script) {
          world.refs[target % world.refs.length]?.tell(order);
          if (waitMs > 0) await kit.advance(waitMs);
        }
        if (!whileBusy) await kit.settle();
        await kit.shutdown();
        expect(kit.system.tree()).toMatchObject({ state: 'stopped', children: [] });
        await kit.advance(100_000);
        expect([...world.alive]).toEqual([]);
        expect(kit.clock.pending).toBe(0);
        expect(unhandled).toEqual([]);
      }),
    );
  } finally {
    process.off('unhandledRejection', listener);
  }
});

/** Makes the actors of a plan, and records which of them have not cleaned up. */
function newWorld(timer: (ms: number, callback: () => void) => unknown) {
  const refs: Ref<Order>[] = [];
  const alive = new Set<string>();
  let count = 0;
  const later = (): Promise<void> => new Promise((resolve) => timer(5, resolve));

  const acquire = (context: Context<Order>, plan: WorkerPlan): void => {
    const name = `${context.self.path}#${++count}`;
    alive.add(name);
    context.onStop(async () => {
      alive.delete(name);
      if (plan.cleanUp === 'later') await later();
      if (plan.cleanUp === 'hangs') await never;
      if (plan.cleanUp === 'fails') throw new Error('clean-up');
    });
    context.every(10, () => 'work');
  };

  const worker = (plan: WorkerPlan): Behaviour<Order> => {
    const receive = (context: Context<Order>) => (order: Order) => {
      if (order === 'crash') throw new Error('crash');
      if (order === 'crash later') return later().then(() => Promise.reject(new Error('crash later')));
      if (order === 'exit') context.exit();
      if (order === 'hang') return never;
      if (order === 'spawn') refs.push(context.spawn(worker({ ...plan, start: 'at once' })));
      return undefined;
    };
    if (plan.start === 'at once' || plan.start === 'fails' || plan.start === 'asks for its end') {
      return (context) => {
        acquire(context, plan);
        if (plan.start === 'fails') throw new Error('start');
        if (plan.start === 'asks for its end') context.exit();
        return receive(context);
      };
    }
    return async (context) => {
      acquire(context, plan);
      await (plan.start === 'hangs' ? never : later());
      if (plan.start === 'fails later') throw new Error('start');
      acquire(context, plan);
      return receive(context);
    };
  };

  const note = (ref: Ref<Order>): void => {
    if (!refs.includes(ref)) refs.push(ref);
  };

  const specOf = (plan: Plan, index: number, autoShutdown: AutoShutdown): ChildSpec => {
    const { restart } = plan;
    if (plan.kind === 'supervisor') return child({ id: `s${index}`, start: behaviourOf(plan), restart });
    if (plan.kind === 'pool') {
      const onRef = (ref: Ref<DynamicSupervisorMessage<WorkerPlan, Order>>): void => {
        for (const args of plan.workers) ref.tell({ kind: 'start-child', args });
      };
      return child({ id: `p${index}`, start: poolOf(plan), restart, onRef });
    }
    const significant = plan.significant && restart !== 'permanent' && autoShutdown !== 'never';
    const { shutdown } = plan;
    return child({ id: `w${index}`, start: worker(plan), restart, shutdown, significant, onRef: note });
  };

  const flagsOf = ({ intensity, waits }: Pick<SupervisorPlan, 'intensity' | 'waits'>) => ({
    intensity,
    periodMs: 50,
    ...(waits ? { backOff: { minMs: 5, maxMs: 40, jitter: 0 } } : {}),
  });

  const poolOf = (plan: PoolPlan) => {
    const start = (args: WorkerPlan): Behaviour<Order> => {
      const behaviour = worker(args);
      return (context) => {
        note(context.self);
        return behaviour(context);
      };
    };
    return dynamicSupervisor({ ...flagsOf(plan), template: { start, restart: plan.restart, shutdown: 20 } });
  };

  const behaviourOf = (plan: SupervisorPlan) => {
    const { strategy, autoShutdown } = plan;
    const children = plan.children.map((one, index) => specOf(one, index, autoShutdown));
    return supervisor({ ...flagsOf(plan), strategy, autoShutdown, children });
  };

  return { refs, alive, behaviourOf };
}
