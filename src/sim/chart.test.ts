import { expect, test } from 'vitest';
import { chartOf } from './chart.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import type { Report, Sample } from './report.ts';
import { simulate } from './run.ts';

/** The elements that are open at the end, or do not fit: none in a well-formed document. */
function unbalanced(svg: string): string[] {
  const open: string[] = [];
  for (const [, closing, name = '', alone] of svg.matchAll(/<(\/?)([a-z]+)(?:\s+[\w:-]+="[^"<&]*")*\s*(\/?)>/g)) {
    if (alone === '/') continue;
    if (closing !== '/') open.push(name);
    else if (open.pop() !== name) return [`</${name}>`];
  }
  return open;
}

async function reportOf(seconds: number): Promise<Report> {
  const result = await simulate({ ...DEFAULT_SCENARIO, durationMs: seconds * 1_000 });
  if (!result.ok) throw new Error(result.failure.message);
  return result.report;
}

test('the chart is well-formed SVG with a line for load, VMs and waits', async () => {
  const svg = chartOf(await reportOf(20));
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  expect(unbalanced(svg)).toEqual([]);
  // No tag escapes the pattern above.
  expect(svg.replace(/<\/?[a-z]+(?:\s+[\w:-]+="[^"<&]*")*\s*\/?>/g, '')).not.toMatch(/[<>&]/);
  expect(svg.match(/<polyline /g)).toHaveLength(3);
  for (const title of ['requests a second', 'VMs', 'latency, p95']) expect(svg).toContain(title);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test('a long run has no more points than there are pixels, and a short one or none has a chart too', async () => {
  const report = await reportOf(2);
  const many = Array.from({ length: 100_000 }, (_, second): Sample => {
    return { atMs: second * 1_000, sent: second % 7, vms: 3, latencyP95Ms: second % 5 === 0 ? null : 12.5 };
  });
  const points = [...chartOf({ ...report, samples: many }).matchAll(/<polyline points="([^"]*)"/g)];
  expect(points).toHaveLength(3);
  for (const [, text = ''] of points) expect(text.split(' ').length).toBeLessThanOrEqual(800);
  for (const samples of [[], many.slice(0, 1)]) {
    const svg = chartOf({ ...report, samples });
    expect(unbalanced(svg)).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});
