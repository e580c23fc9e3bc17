import { describe, expect, it } from 'vitest';
import { type TestKit, testKit } from '../actors/kit/mod.ts';
import type { Ref } from '../actors/mod.ts';
import {
  type AutoShutdown,
  type ChildOptions,
  child,
  type SupervisorMessage,
  type SupervisorSpec,
  startChild,
  supervisor,
  terminateChild,
} from './mod.ts';
import { childrenOf, type Order, start, taken, worker } from './testing/worker.ts';

const refused = { code: 'SUPERVISOR_SPEC_INVALID' };

/** A supervisor of a, b and c; b and c are significant. */
async function team(
  kit: TestKit,
  autoShutdown: AutoShutdown,
  more: Partial<SupervisorSpec & ChildOptions<Order>> = {},
) {
  const log: string[] = [];
  const { strategy = 'one_for_one', restart = 'transient' } = more;
  const a = worker(log, 'a');
  const b = worker(log, 'b', { restart, significant: true });
  const c = worker(log, 'c', { restart, significant: true });
  const ref = await start(kit, { strategy, autoShutdown, children: [a.spec, b.spec, c.spec] });
  taken(log);
  return { log, ref, a, b, c };
}

const isUp = (kit: TestKit, ref: Ref<SupervisorMessage>): boolean =>
  kit.system.tree().children.some(({ path }) => path === ref.path);

describe('automatic shutdown', () => {
  it('is never, if nothing is said: significant children are refused, and nothing is started', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const children = [worker(log, 'a').spec, worker(log, 'b', { restart: 'transient', significant: true }).spec];
    await expect(start(kit, { children })).rejects.toMatchObject(refused);
    expect(log).toEqual([]);
  });

  it('that is never also refuses a significant child that comes later', async () => {
    await using kit = testKit();
    const ref = await start(kit, { autoShutdown: 'never', children: [] });
    const { spec } = worker([], 'a', { restart: 'temporary', significant: true });
    await expect(startChild(kit.system, ref, spec)).rejects.toMatchObject(refused);
    expect(await childrenOf(kit, ref)).toEqual([]);
  });

  it('at any_significant comes when a transient significant child ends in order', async () => {
    await using kit = testKit();
    const { ref, log, c } = await team(kit, 'any_significant');
    c.tell('exit');
    await kit.settle();
    expect(taken(log)).toBe('-c -b -a');
    expect(isUp(kit, ref)).toBe(false);
  });

  it.each(['exit', 'crash'] as const)('at any_significant comes when a temporary one ends, by %s', async (order) => {
    await using kit = testKit();
    const { ref, log, b } = await team(kit, 'any_significant', { restart: 'temporary' });
    b.tell(order);
    await kit.settle();
    expect(taken(log)).toBe('-b -c -a');
    expect(isUp(kit, ref)).toBe(false);
  });

  it('does not come for a transient significant child that crashed: it is restarted', async () => {
    await using kit = testKit();
    const { ref, log, b } = await team(kit, 'any_significant');
    b.tell('crash');
    await kit.settle();
    expect(taken(log)).toBe('-b +b');
    expect(isUp(kit, ref)).toBe(true);
  });

  it('does not come for a child that is not significant', async () => {
    await using kit = testKit();
    const x = worker([], 'x', { restart: 'temporary' });
    const ref = await start(kit, { autoShutdown: 'any_significant', children: [x.spec] });
    x.tell('exit');
    await kit.settle();
    expect(isUp(kit, ref)).toBe(true);
  });

  it('at all_significant comes when the last significant child that runs has ended', async () => {
    await using kit = testKit();
    const { ref, log, b, c } = await team(kit, 'all_significant');
    b.tell('exit');
    await kit.settle();
    expect(isUp(kit, ref)).toBe(true);
    c.tell('exit');
    await kit.settle();
    expect(taken(log)).toBe('-b -c -a');
    expect(isUp(kit, ref)).toBe(false);
  });

  it('at all_significant does not come while one is about to be restarted', async () => {
    await using kit = testKit();
    const { ref, b, c } = await team(kit, 'all_significant', { backOff: { minMs: 100, maxMs: 100 } });
    const backOff = { minMs: 100, maxMs: 100 };
    const d = worker([], 'd', { restart: 'transient', significant: true, backOff });
    await startChild(kit.system, ref, d.spec);
    d.tell('crash');
    b.tell('exit');
    c.tell('exit');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'b stopped', 'c stopped', 'd restarting']);
  });

  it('ends the remaining children from right to left, each within its limit', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const children = [
      worker(log, 'a').spec,
      worker(log, 'b', { restart: 'transient', significant: true }),
      worker(log, 'c', { shutdown: 70 }),
    ] as const;
    const [a, b, c] = children;
    const ref = await start(kit, { autoShutdown: 'any_significant', children: [a, b.spec, c.spec] });
    taken(log);
    c.tell('hang');
    b.tell('exit');
    await kit.advance(69);
    expect(taken(log)).toBe('-b');
    await kit.advance(1);
    expect(taken(log)).toBe('-c -a');
    expect(isUp(kit, ref)).toBe(false);
  });

  it.each(['one_for_all', 'rest_for_one'] as const)(
    'does not come for significant children that were ended for a sibling, under %s',
    async (strategy) => {
      await using kit = testKit();
      const { ref, log, a } = await team(kit, 'any_significant', { strategy, restart: 'temporary' });
      a.tell('crash');
      await kit.settle();
      expect(taken(log)).toBe('-a -c -b +a');
      expect(isUp(kit, ref)).toBe(true);
    },
  );

  it('does not come for a significant child that was terminated by hand', async () => {
    await using kit = testKit();
    const { ref } = await team(kit, 'any_significant');
    await terminateChild(kit.system, ref, 'b');
    expect(await childrenOf(kit, ref)).toEqual(['a running', 'b stopped', 'c running']);
  });

  it('is an end in order: above, a transient supervisor stays ended, a permanent one is restarted at once', async () => {
    await using kit = testKit();
    for (const restart of ['transient', 'permanent'] as const) {
      const one = worker([], 'one', { restart: 'transient', significant: true });
      const inner = supervisor({ autoShutdown: 'any_significant', children: [one.spec] });
      const ref = await start(kit, { children: [child({ id: 'inner', start: inner, restart })] });
      one.tell('exit');
      await kit.settle();
      expect(await childrenOf(kit, ref)).toEqual([restart === 'transient' ? 'inner stopped' : 'inner running']);
    }
  });
});

describe('a significant child', () => {
  it('cannot be permanent', async () => {
    await using kit = testKit();
    const { spec } = worker([], 'a', { significant: true });
    await expect(start(kit, { autoShutdown: 'any_significant', children: [spec] })).rejects.toMatchObject(refused);
  });

  it('is none, if its spec does not say so', async () => {
    await using kit = testKit();
    const a = worker([], 'a', { restart: 'transient' });
    const ref = await start(kit, { autoShutdown: 'any_significant', children: [a.spec] });
    a.tell('exit');
    await kit.settle();
    expect(await childrenOf(kit, ref)).toEqual(['a stopped']);
  });
});
