import { describe, expect, it } from 'vitest';
import { History, sampleOf } from './history.ts';
import { snapshotOf, vmRow } from './kit/facts.ts';

const answered = (ok: number, failed = 0) =>
  snapshotOf([], {
    requests: { accepted: 0, ok, failed: { 503: failed }, routed: {}, handed: { on: 0, refused: 0, in: 0 } },
  });

describe('a sample', () => {
  it('counts VMs by phase', () => {
    const states = ['ready', 'ready', 'preparing', 'prepared', 'booting', 'draining', 'stopping', 'unknown'] as const;
    const { vms } = sampleOf(snapshotOf(states.map((state, index) => vmRow(index, { state }))), 0);
    expect(vms).toEqual({ ready: 2, starting: 3, leaving: 2, lost: 1 });
  });

  it('adds up what is in flight, and takes the mean CPU of those that have reported', () => {
    const vms = [vmRow(1, { in_flight: 2, cpu: 50 }), vmRow(2, { in_flight: 3, cpu: 100 }), vmRow(3, { cpu: null })];
    expect(sampleOf(snapshotOf(vms, { waiting: 7 }), 0)).toMatchObject({ inFlight: 5, cpuPercent: 75, waiting: 7 });
    expect(sampleOf(snapshotOf([]), 0)).toMatchObject({ inFlight: 0, cpuPercent: 0 });
  });

  it('makes a rate of what was answered since the one before, well or badly', () => {
    const first = sampleOf(answered(100), 1_000);
    expect(first.requestsPerSecond).toBe(0);
    expect(sampleOf(answered(140, 10), 1_500, first).requestsPerSecond).toBe(100);
  });

  it('has no rate across the start of another server, whose count begins anew', () => {
    expect(sampleOf(answered(3), 2_000, sampleOf(answered(100), 1_000)).requestsPerSecond).toBe(0);
  });
});

it('a history keeps no more than a quarter of an hour', () => {
  const history = new History();
  for (let second = 0; second < 2_000; second++) history.add(snapshotOf([]), second * 1_000);
  expect(history.samples).toHaveLength(900);
  expect(history.samples.at(-1)?.atMs).toBe(1_999_000);
});
