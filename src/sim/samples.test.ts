import { expect, test } from 'vitest';
import { Samples } from './samples.ts';

function after(seconds: number): Samples {
  const samples = new Samples(4);
  for (let second = 1; second <= seconds; second++) {
    samples.add({ atMs: second * 1_000, sent: 1, vms: second % 3, latencyP95Ms: second % 2 === 0 ? second : null });
  }
  return samples;
}

test('there is one for each second of a run that is not very long', () => {
  expect(after(3).all()).toEqual([
    { atMs: 1_000, sent: 1, vms: 1, latencyP95Ms: null },
    { atMs: 2_000, sent: 1, vms: 2, latencyP95Ms: 2 },
    { atMs: 3_000, sent: 1, vms: 0, latencyP95Ms: null },
  ]);
});

test('a longer run has no more, and loses no request and no peak', () => {
  expect(after(7).all()).toEqual([
    { atMs: 2_000, sent: 2, vms: 2, latencyP95Ms: 2 },
    { atMs: 4_000, sent: 2, vms: 1, latencyP95Ms: 4 },
    { atMs: 6_000, sent: 2, vms: 2, latencyP95Ms: 6 },
    { atMs: 7_000, sent: 1, vms: 1, latencyP95Ms: null },
  ]);
  for (const seconds of [4, 5, 8, 9, 100, 1_000]) {
    const all = after(seconds).all();
    expect(all.length).toBeLessThanOrEqual(5);
    expect(all.reduce((sum, { sent }) => sum + sent, 0)).toBe(seconds);
    expect(all.at(-1)?.atMs).toBe(seconds * 1_000);
  }
});
