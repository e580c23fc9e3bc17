import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueBy, dueMs, type Pace, step } from './pace.ts';

const BOUNDS = { durationMs: 10_000, requestsMax: 1_000_000, inFlightMax: 10_000 };

function rate(perSecond: number, rampMs = 0): Extract<Pace, { kind: 'rate' }> {
  return { kind: 'rate', perSecond, rampMs };
}

describe('a rate', () => {
  test('makes one due at the start and then one in each interval', () => {
    const pace = rate(100);
    expect([0, 1, 2, 100].map((index) => dueMs(pace, index))).toEqual([0, 10, 20, 1000]);
    expect([0, 9.9, 10, 999, 1000].map((ms) => dueBy(pace, ms))).toEqual([1, 1, 2, 100, 101]);
  });

  test('with a ramp comes to half as many in the ramp, and to the full rate after it', () => {
    const pace = rate(1000, 4000);
    expect(dueBy(pace, 1000)).toBe(126);
    expect(dueBy(pace, 2000)).toBe(501);
    expect(dueBy(pace, 4000)).toBe(2001);
    expect(dueBy(pace, 5000)).toBe(3001);
  });

  test('has every request due exactly when the count of those that are due says so', () => {
    const paces = fc.record({
      perSecond: fc.integer({ min: 1, max: 100_000 }),
      rampMs: fc.constantFrom(0, 500, 60_000),
    });
    fc.assert(
      fc.property(paces, fc.integer({ min: 0, max: 1_000_000 }), ({ perSecond, rampMs }, index) => {
        const pace = rate(perSecond, rampMs);
        const atMs = dueMs(pace, index);
        expect(dueBy(pace, atMs + 1e-3)).toBeGreaterThanOrEqual(index + 1);
        expect(dueBy(pace, Math.max(0, atMs - 0.009))).toBeLessThanOrEqual(index + 1);
        expect(dueMs(pace, index + 1)).toBeGreaterThan(atMs);
      }),
    );
  });

  test('is kept up after a delay: all that have become due go at once', () => {
    expect(step(rate(100), BOUNDS, { elapsedMs: 95, sent: 2, inFlight: 2 })).toEqual({
      send: 8,
      isLast: false,
      nextMs: 100,
    });
  });

  test('waits while too many are in flight', () => {
    const bounds = { ...BOUNDS, inFlightMax: 5 };
    expect(step(rate(100), bounds, { elapsedMs: 500, sent: 7, inFlight: 4 })).toMatchObject({ send: 1 });
    expect(step(rate(100), bounds, { elapsedMs: 500, sent: 8, inFlight: 5 })).toMatchObject({
      send: 0,
      isLast: false,
      nextMs: 10_000,
    });
  });
});

describe('a concurrency', () => {
  const pace: Pace = { kind: 'concurrency', clients: 4, rampMs: 0 };

  test('has so many in flight, from the start on', () => {
    expect(step(pace, BOUNDS, { elapsedMs: 0, sent: 0, inFlight: 0 })).toEqual({
      send: 4,
      isLast: false,
      nextMs: 10_000,
    });
    expect(step(pace, BOUNDS, { elapsedMs: 5, sent: 4, inFlight: 3 })).toMatchObject({ send: 1 });
    expect(step(pace, BOUNDS, { elapsedMs: 5, sent: 5, inFlight: 4 })).toMatchObject({ send: 0 });
  });

  test('with a ramp grows one by one', () => {
    const ramped: Pace = { ...pace, rampMs: 400 };
    expect(step(ramped, BOUNDS, { elapsedMs: 0, sent: 0, inFlight: 0 })).toMatchObject({ send: 1, nextMs: 100 });
    expect(step(ramped, BOUNDS, { elapsedMs: 100, sent: 9, inFlight: 1 })).toMatchObject({ send: 1, nextMs: 200 });
    expect(step(ramped, BOUNDS, { elapsedMs: 399, sent: 9, inFlight: 0 })).toMatchObject({ send: 4, nextMs: 10_000 });
  });
});

describe('the bounds', () => {
  test('after the duration nothing is begun, but what was due in time and is late goes', () => {
    const late = { elapsedMs: 10_040, sent: 997, inFlight: 0 };
    expect(step(rate(100), BOUNDS, late)).toMatchObject({ send: 3, isLast: true });
    const clients: Pace = { kind: 'concurrency', clients: 4, rampMs: 0 };
    expect(step(clients, BOUNDS, late)).toMatchObject({ send: 0, isLast: true });
  });

  test('no more are sent than there may be', () => {
    const bounds = { ...BOUNDS, requestsMax: 10 };
    expect(step(rate(1000), bounds, { elapsedMs: 100, sent: 8, inFlight: 0 })).toMatchObject({ send: 2, isLast: true });
  });
});
