import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { type ErrorCode, ShoalError } from '../errors.ts';
import type { Bounds, Pace } from './pace.ts';
import { type Load, startLoad } from './run.ts';

const BOUNDS: Bounds = { durationMs: 1_000, requestsMax: 1_000_000, inFlightMax: 100 };
const RATE: Pace = { kind: 'rate', perSecond: 100, rampMs: 0 };
const CLIENTS: Pace = { kind: 'concurrency', clients: 4, rampMs: 0 };

/** A fleet that answers after `answerMs`, on the clock of the test. */
class Stand {
  readonly clock = new ManualClock();
  readonly interruption = new AbortController();
  answerMs = 20;
  error: ErrorCode | undefined;

  start(pace: Pace, bounds: Partial<Bounds> = {}): Load {
    const { clock, interruption } = this;
    const load = startLoad({
      pace,
      bounds: { ...BOUNDS, ...bounds },
      send: (index, signal) => this.#send(index, signal),
      clock,
      signal: interruption.signal,
    });
    // It is looked at later; until then a failure is nobody's surprise.
    load.done.catch(() => undefined);
    return load;
  }

  #send(index: number, signal: AbortSignal): Promise<{ vm: number }> {
    return new Promise((resolve, reject) => {
      const { error } = this;
      signal.addEventListener('abort', () => reject(new ShoalError('REQUEST_CANCELLED', 'given up')));
      this.clock.timer(this.answerMs, () => {
        if (error === undefined) resolve({ vm: (index % 3) + 1 });
        else reject(new ShoalError(error, 'it failed'));
      });
    });
  }
}

test('a rate is kept for the duration, and what is in flight then is waited for', async () => {
  const stand = new Stand();
  const load = stand.start(RATE);
  await stand.clock.advance(1_000);
  expect(load.tally).toMatchObject({ sent: 100, inFlight: 1 });
  await stand.clock.advance(1_000);
  await load.done;
  expect(load.tally).toMatchObject({ ok: 100, failed: 0, vmCount: 3 });
  expect(load.notSent).toBe(0);
  expect(load.elapsedMs).toBeCloseTo(1_010, 0);
});

test('a fleet that stands still is told by the latencies of all that were due meanwhile', async () => {
  const stand = new Stand();
  const load = stand.start(RATE, { inFlightMax: 1 });
  stand.answerMs = 500;
  await stand.clock.advance(20);
  stand.answerMs = 1;
  await stand.clock.advance(2_000);
  await load.done;
  // One took 500 ms; the 50 that were due meanwhile waited between 0 and 500 ms, though each was answered at once when it was sent.
  expect(load.tally.latencies.summary()?.p90Ms).toBeGreaterThan(300);
  expect(load.tally.sent).toBe(100);
});

test('what could not be sent for want of room is told', async () => {
  const stand = new Stand();
  stand.answerMs = 600;
  const load = stand.start(RATE, { inFlightMax: 10 });
  await stand.clock.advance(5_000);
  await load.done;
  expect(load.tally.sent).toBe(20);
  expect(load.notSent).toBe(80);
});

test('a concurrency keeps so many in flight', async () => {
  const stand = new Stand();
  const load = stand.start(CLIENTS);
  await stand.clock.advance(500);
  expect(load.tally.inFlight).toBe(4);
  await stand.clock.advance(1_000);
  await load.done;
  expect(load.tally.sent).toBe(200);
  expect(load.tally.latencies.summary()?.maxMs).toBeCloseTo(20, 1);
});

test('so many requests and no more', async () => {
  const stand = new Stand();
  const load = stand.start(CLIENTS, { requestsMax: 10 });
  await stand.clock.advance(2_000);
  await load.done;
  expect(load.tally).toMatchObject({ sent: 10, ok: 10 });
  expect(stand.clock.pending).toBe(0);
});

test('failures are counted by code, and do not make it spin', async () => {
  const stand = new Stand();
  stand.answerMs = 0;
  stand.error = 'REQUEST_OVERLOADED';
  const load = stand.start(CLIENTS);
  await stand.clock.advance(2_000);
  await load.done;
  expect(load.tally.ok).toBe(0);
  expect(load.tally.errors).toEqual({ REQUEST_OVERLOADED: load.tally.sent });
  expect(load.tally.sent).toBeLessThanOrEqual(4_004);
  expect(load.tally.sent).toBeGreaterThan(1_000);
});

test('an error that shows that none can succeed ends it at once', async () => {
  const stand = new Stand();
  stand.error = 'REQUEST_OPERATION_UNKNOWN';
  const load = stand.start(CLIENTS);
  await stand.clock.advance(20);
  await expect(load.done).rejects.toMatchObject({ code: 'REQUEST_OPERATION_UNKNOWN' });
  expect(load.tally.sent).toBe(4);
});

test('the same error after one that went well is one of many', async () => {
  const stand = new Stand();
  const load = stand.start(CLIENTS);
  await stand.clock.advance(100);
  stand.error = 'REQUEST_NO_RESPONDERS';
  await stand.clock.advance(2_000);
  await load.done;
  expect(load.tally.failed).toBeGreaterThan(0);
});

test('interrupted it gives up what is in flight, and counts that apart', async () => {
  const stand = new Stand();
  const load = stand.start(RATE);
  await stand.clock.advance(500);
  stand.interruption.abort();
  await load.done;
  expect(load.tally).toMatchObject({ sent: 51, inFlight: 0, failed: 0 });
  expect(load.tally.cancelled).toBe(2);
  expect(load.notSent).toBe(0);
});
