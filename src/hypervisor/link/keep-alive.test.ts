import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import type { Ref } from '../../actors/mod.ts';
import { KeepAlive, type KeepAliveMessage } from './keep-alive.ts';

const INTERVAL_MS = 15_000;

/** A link that notes when it is told. */
function listener(nowMs: () => number): { readonly ref: Ref<KeepAliveMessage>; readonly toldMs: number[] } {
  const toldMs: number[] = [];
  return { toldMs, ref: { path: '/link', tell: () => toldMs.push(nowMs()) > 0 } };
}

describe('keep-alive', () => {
  it('tells each link once an interval, first within one, whenever it came', async () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 3 * INTERVAL_MS }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(arrivals, async (delays) => {
        const clock = new ManualClock({ settle: () => Promise.resolve() });
        const keepAlive = new KeepAlive(clock, INTERVAL_MS);
        const links = delays.map((delayMs) => {
          const link = listener(() => clock.monotonic());
          let addedMs = Number.NaN;
          clock.timer(delayMs, () => {
            addedMs = clock.monotonic();
            keepAlive.add(link.ref);
          });
          return { ...link, waitMs: () => (link.toldMs[0] ?? Number.NaN) - addedMs };
        });
        await clock.advance(6 * INTERVAL_MS);
        for (const { toldMs, waitMs } of links) {
          expect(waitMs()).toBeGreaterThan(INTERVAL_MS * (14 / 15) - 1);
          expect(waitMs()).toBeLessThanOrEqual(INTERVAL_MS);
          expect(toldMs.slice(1).map((ms, index) => ms - (toldMs[index] ?? 0))).toEqual(
            toldMs.slice(1).map(() => INTERVAL_MS),
          );
        }
      }),
    );
  });

  it('tells a link that was removed nothing more, and without links sets no timer, so that a process can end', async () => {
    const clock = new ManualClock({ settle: () => Promise.resolve() });
    const keepAlive = new KeepAlive(clock, INTERVAL_MS);
    const [one, other] = [listener(() => clock.monotonic()), listener(() => clock.monotonic())];
    const parts = [keepAlive.add(one.ref), keepAlive.add(other.ref)];
    keepAlive.remove(one.ref, parts[0] ?? 0);
    await clock.advance(INTERVAL_MS);
    expect([one.toldMs.length, other.toldMs.length]).toEqual([0, 1]);
    keepAlive.remove(other.ref, parts[1] ?? 0);
    keepAlive.remove(other.ref, parts[1] ?? 0);
    expect(clock.pending).toBe(0);
    const later = keepAlive.add(one.ref);
    await clock.advance(INTERVAL_MS);
    expect([one.toldMs.length, other.toldMs.length]).toEqual([1, 1]);
    keepAlive.remove(one.ref, later);
    expect(clock.pending).toBe(0);
  });
});
