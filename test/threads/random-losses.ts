import fc from 'fast-check';
import { expect } from 'vitest';
import type { Ref } from '../../src/actors/mod.ts';
import { type ChildSpec, child, type Strategy, supervisor } from '../../src/supervisor/mod.ts';
import { type CountedMessage, counted, type Step } from './counted.ts';
import { type CountedSystem, countedSystem } from './counted-system.ts';

interface NodePlan {
  readonly kind: 'node';
  readonly onShard: boolean;
  readonly capacity: number;
  readonly restart: ChildSpec['restart'];
}

interface SupervisorPlan {
  readonly kind: 'supervisor';
  readonly strategy: Strategy;
  readonly children: readonly (NodePlan | SupervisorPlan)[];
}

interface StepPlan {
  readonly to: number;
  readonly times: number;
  readonly how: Step['how'];
  readonly fault: CountedMessage['fault'];
}

/** What the test does: tells an actor, or ends a shard from outside. */
interface Order {
  readonly kind: 'tell' | 'offer' | 'replace';
  readonly to: number;
  readonly times: number;
  readonly steps: readonly StepPlan[];
  readonly waits: boolean;
}

export interface Scenario {
  readonly shards: number;
  readonly tree: SupervisorPlan;
  readonly orders: readonly Order[];
}

const fault = fc.oneof(
  { weight: 30, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.constant('crash' as const) },
  { weight: 1, arbitrary: fc.constantFrom('exit' as const, 'throw' as const, 'last-words' as const) },
);

const plans = fc.letrec<{ tree: SupervisorPlan; node: NodePlan; child: NodePlan | SupervisorPlan }>((tie) => ({
  node: fc.record({
    kind: fc.constant('node' as const),
    onShard: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    capacity: fc.constantFrom(1, 20, 1_000),
    restart: fc.constantFrom<ChildSpec['restart']>('permanent', 'permanent', 'transient', 'temporary'),
  }),
  child: fc.oneof({ maxDepth: 2 }, tie('node'), tie('node'), tie('tree')),
  tree: fc.record({
    kind: fc.constant('supervisor' as const),
    strategy: fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one'),
    children: fc.array(tie('child'), { minLength: 1, maxLength: 4 }),
  }),
}));

const step = fc.record({
  to: fc.nat(),
  times: fc.constantFrom(1, 1, 2, 30),
  // No offer without a limit: actors that wait for each other's full mailboxes wait for ever.
  how: fc.constantFrom<Step['how']>('tell', 'tell', 'brief-offer', 'through-child'),
  fault,
});

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  shards: fc.integer({ min: 1, max: 3 }),
  tree: plans.tree,
  orders: fc.array(
    fc.record({
      kind: fc.constantFrom('tell', 'tell', 'tell', 'tell', 'offer', 'replace'),
      to: fc.nat(),
      times: fc.constantFrom(1, 10, 300),
      steps: fc.array(step, { maxLength: 3 }),
      waits: fc.boolean(),
    }),
    { minLength: 1, maxLength: 25 },
  ),
});

const OFTEN = 1_000_000;

/** Plays a scenario. In the end each message was handled, refused at its sender, or told as a dead letter. */
export async function playScenario({ shards, tree, orders }: Scenario): Promise<void> {
  await using one = countedSystem(shards);
  const refs = new Set<Ref<CountedMessage>>();
  await one.system.start(supervised(one, tree, refs));
  const to = (index: number): Ref<CountedMessage> => {
    const all = [...refs];
    const ref = all[index % all.length];
    if (ref === undefined) throw new Error('a tree has one node at least');
    return ref;
  };
  const offers: Promise<void>[] = [];
  let replaced = 0;
  for (const { kind, to: target, times, steps, waits } of orders) {
    if (refs.size === 0) break;
    if (kind === 'replace' && one.shards.replace(target % shards, 'a test')) replaced += 1;
    const message: CountedMessage = { steps: steps.map((plan) => ({ ...plan, to: to(plan.to) })) };
    for (let n = 0; n < times && kind !== 'replace'; n++) {
      if (kind === 'tell') one.tell(to(target), message);
      else offers.push(one.offer(to(target), message));
    }
    if (waits) await new Promise(setImmediate);
  }
  await Promise.all(offers);
  // A thread that is ended from outside may be in the middle of a message, and of the count of another.
  await one.settled({ slack: 2 * replaced });
  const told = one.letters.reduce((sum, { count }) => sum + (count ?? 1), 0);
  expect(told).toBe(one.system.deadLetters.count);
}

function supervised(one: CountedSystem, plan: SupervisorPlan, refs: Set<Ref<CountedMessage>>) {
  const children = plan.children.map((part, index): ChildSpec => {
    const id = String(index);
    if (part.kind === 'supervisor') return child({ id, start: supervised(one, part, refs) });
    const { restart, capacity } = part;
    const home = part.onShard
      ? one.shards.actor('counted', one.counts, { capacity })
      : { start: counted(one.counts), capacity };
    return child({ id, restart, ...home, onRef: (ref: Ref<CountedMessage>) => void refs.add(ref) });
  });
  return supervisor({ strategy: plan.strategy, children, intensity: OFTEN });
}
