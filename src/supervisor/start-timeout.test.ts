import { describe, expect, it } from 'vitest';
import { isFailure, testKit } from '../actors/kit/mod.ts';
import { child, dynamicSupervisor, startChild, startInstance, supervisor } from './mod.ts';
import { childrenOf, type Order, obedient, slow, start, taken, worker } from './testing/worker.ts';

describe('a start that takes longer than `startTimeoutMs`', () => {
  it('has failed, and with it the start of the supervisor', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const late = { ...slow(kit, log, 'late', 60), options: { startTimeoutMs: 50 } };
    const starting = start(kit, { children: [worker(log, 'a').spec, late, worker(log, 'b').spec] });
    const outcome = expect(starting).rejects.toMatchObject({
      code: 'SUPERVISOR_START_FAILED',
      cause: { code: 'ACTOR_START_TIMEOUT' },
    });
    await kit.advance(50);
    await outcome;
    expect(taken(log)).toBe('+a -a');
  });

  it('has failed, also if a child or an instance is started later', async () => {
    await using kit = testKit();
    const late = { ...slow(kit, [], 'late', 60), options: { startTimeoutMs: 50 } };
    const root = await start(kit, { children: [] });
    const many = dynamicSupervisor<number, Order>({
      template: {
        start: (ms) => async (context) => {
          await new Promise<void>((resolve) => void kit.clock.timer(ms, resolve));
          return obedient([], 'one')(context);
        },
        startTimeoutMs: 50,
      },
    });
    const instances = await kit.system.start(many);
    const failed = { code: 'SUPERVISOR_START_FAILED', cause: { code: 'ACTOR_START_TIMEOUT' } };
    const outcomes = Promise.all([
      expect(startChild(kit.system, root, late)).rejects.toMatchObject(failed),
      expect(startInstance(kit.system, instances, 60)).rejects.toMatchObject(failed),
    ]);
    await kit.advance(50);
    await outcomes;
    expect([await childrenOf(kit, root), await childrenOf(kit, instances)]).toEqual([[], []]);
    const inTime = startInstance(kit.system, instances, 40);
    await kit.advance(50);
    expect((await inTime)?.tell('exit')).toBe(true);
  });

  it('counts as one restart more if it is a restart', async () => {
    await using kit = testKit();
    let starts = 0;
    const spec = child<Order>({
      id: 'a',
      start: (context) => (++starts === 1 ? obedient([], 'a')(context) : new Promise(() => undefined)),
      onRef: (ref) => starts === 0 && ref.tell('crash'),
      startTimeoutMs: 50,
    });
    const root = await kit.system.start(supervisor({ intensity: 2, children: [spec] }));
    const ended = kit.system.ended(root);
    await kit.advance(100);
    const exit = await ended;
    expect(isFailure('SUPERVISOR_INTENSITY')(exit)).toBe(true);
    expect(exit.reason).toMatchObject({ error: { cause: { code: 'ACTOR_START_TIMEOUT' } } });
    expect(starts).toBe(3);
  });
});
