import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { LongWork } from './long-work.ts';

const LONG_MS = 5;

function setUp() {
  const clock = new ManualClock({ settle: () => Promise.resolve() });
  const told: string[] = [];
  const work = new LongWork(clock, (vm, givesWay) => told.push(`${vm} ${givesWay}`), LONG_MS);
  return { clock, told, work };
}

describe('long work', () => {
  it('has a VM give way once its request has taken long, until it has answered', async () => {
    const { clock, told, work } = setUp();
    work.begin(1);
    await clock.advance(LONG_MS - 1);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['1 true']);
    await clock.advance(100);
    work.end(1);
    expect(told).toEqual(['1 true', '1 false']);
  });

  it('counts each request by itself: a VM with many short ones never gives way', async () => {
    const { clock, told, work } = setUp();
    for (let i = 0; i < 20; i++) {
      work.begin(1);
      await clock.advance(LONG_MS - 1);
    }
    work.end(1);
    await clock.advance(100);
    expect(told).toEqual([]);
  });

  it('ends the way that a VM gives when it begins its next request', async () => {
    const { clock, told, work } = setUp();
    work.begin(1);
    await clock.advance(LONG_MS);
    work.begin(1);
    expect(told).toEqual(['1 true', '1 false']);
    await clock.advance(LONG_MS);
    expect(told).toEqual(['1 true', '1 false', '1 true']);
  });

  it('looks at each in time, whoever began before, and has no timer without work', async () => {
    const steps = fc.array(fc.record({ vm: fc.integer({ min: 1, max: 4 }), begins: fc.boolean(), ms: fc.nat(7) }));
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const { clock, told, work } = setUp();
        const since = new Map<number, number>();
        const isLong = (vm: number): boolean => clock.monotonic() - (since.get(vm) ?? Number.NaN) >= LONG_MS;
        for (const { vm, begins, ms } of list) {
          if (begins) work.begin(vm);
          else work.end(vm);
          if (begins) since.set(vm, clock.monotonic());
          else since.delete(vm);
          await clock.advance(ms);
          const giving = [1, 2, 3, 4].filter(
            (one) => told.findLast((line) => line.startsWith(`${one} `)) === `${one} true`,
          );
          expect(giving).toEqual([1, 2, 3, 4].filter(isLong));
        }
        for (const vm of [1, 2, 3, 4]) work.end(vm);
        await clock.advance(LONG_MS);
        expect(clock.pending).toBe(0);
      }),
    );
  });
});
