import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ShoalError } from '../errors.ts';
import { type Load, type Pace, reportOf, startLoad } from '../load/mod.ts';
import { lineOf } from './load-line.ts';
import { summaryOf } from './load-summary.ts';

const PACE: Pace = { kind: 'rate', perSecond: 100, rampMs: 0 };
const BOUNDS = { durationMs: 1_000, requestsMax: 1_000, inFlightMax: 100 };

/** A load of a second, of which each tenth request fails and each takes 3 ms. */
async function load(clock: ManualClock): Promise<Load> {
  const running = startLoad({
    pace: PACE,
    bounds: BOUNDS,
    clock,
    signal: new AbortController().signal,
    send: (index) =>
      new Promise((resolve, reject) => {
        const error = new ShoalError('REQUEST_OVERLOADED', 'full');
        clock.timer(3, () => (index % 10 === 5 ? reject(error) : resolve({ vm: index % 2 })));
      }),
  });
  await clock.advance(505);
  return running;
}

test('while it runs one line tells how it goes', async () => {
  const running = await load(new ManualClock());
  expect(lineOf(running, BOUNDS, 99.6)).toMatch(
    /^0\.5 of 1 s: 46 ok, 5 failed, 0 in flight, 100\/s, p50 3\.\d\d ms, p99 3\.\d\d ms$/,
  );
});

test('a load that is bounded by its number tells how far it has come in that', async () => {
  const running = await load(new ManualClock());
  expect(lineOf(running, { ...BOUNDS, requestsMax: 60 }, 100)).toMatch(/^51 of 60, 0\.5 s: 46 ok/);
});

test('the report has every figure, and the summary shows them', async () => {
  const clock = new ManualClock();
  const running = await load(clock);
  await clock.advance(600);
  await running.done;
  const report = reportOf({ load: running, pace: PACE, op: 'count', bytes: 22, isInterrupted: false });
  expect(report).toEqual({
    pace: 'rate',
    pace_value: 100,
    ramp_s: 0,
    op: 'count',
    bytes: 22,
    duration_s: 1,
    interrupted: false,
    requests: 100,
    ok: 90,
    failed: 10,
    cancelled: 0,
    not_sent: 0,
    errors: { REQUEST_OVERLOADED: 10 },
    vms: 2,
    requests_per_s: 90,
    latency_ms: {
      min: 3,
      mean: expect.closeTo(3, 1),
      p50: expect.closeTo(3, 1),
      p90: expect.closeTo(3, 1),
      p99: expect.closeTo(3, 1),
      p99_9: expect.closeTo(3, 1),
      max: expect.closeTo(3, 1),
    },
    histogram: [{ from_ms: 2, to_ms: 5, count: 90 }],
  });
  const text = summaryOf(report);
  expect(text).toMatch(/^Requests +100 in 1\.0 s: 90 ok, 10 failed$/m);
  expect(text).toMatch(/^Rate +90\.0 ok a second, from 2 VMs$/m);
  expect(text).toMatch(/^ +2 - 5 +ms +90 {2}#{40}$/m);
  expect(text).toMatch(/^ +10 {2}REQUEST_OVERLOADED$/m);
});
