import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponentialDelayMs } from './exponential-delay.ts';

const delay = fc.record({
  firstMs: fc.integer({ min: 0, max: 60_000 }),
  maxMs: fc.integer({ min: 0, max: 3_600_000 }),
});
const failures = fc.oneof(fc.nat(40), fc.nat(Number.MAX_SAFE_INTEGER), fc.constant(Number.POSITIVE_INFINITY));

describe('an exponential delay', () => {
  it('doubles with each failure, up to the limit', () => {
    const delayMs = [0, 1, 2, 3, 4, 5].map((count) => exponentialDelayMs({ firstMs: 100, maxMs: 1_000 }, count));
    expect(delayMs).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('grows by another factor where one is given', () => {
    const delayMs = [0, 1, 2].map((count) => exponentialDelayMs({ firstMs: 10, maxMs: 500, factor: 3 }, count));
    expect(delayMs).toEqual([10, 30, 90]);
    expect(exponentialDelayMs({ firstMs: 10, maxMs: 500, factor: 1 }, 1_000_000)).toBe(10);
  });

  it('is 0 before the first delay', () => {
    expect(exponentialDelayMs({ firstMs: 100, maxMs: 1_000 }, -1)).toBe(0);
  });

  it('begins with the first delay and stays within the limits, however many failures there were', () => {
    fc.assert(
      fc.property(delay, failures, (of, count) => {
        expect(exponentialDelayMs(of, 0)).toBe(Math.min(of.firstMs, of.maxMs));
        const delayMs = exponentialDelayMs(of, count);
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(of.firstMs, of.maxMs));
        expect(delayMs).toBeLessThanOrEqual(of.maxMs);
      }),
    );
  });

  it('is twice as long after one failure more, or at the limit', () => {
    fc.assert(
      fc.property(delay, failures, (of, count) => {
        const next = Math.min(of.maxMs, 2 * exponentialDelayMs(of, count));
        expect(exponentialDelayMs(of, count + 1)).toBe(next);
      }),
    );
  });
});
