import { expect, test } from 'vitest';
import { chartOf } from './chart.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import type { Report } from './report.ts';
import { simulate } from './run.ts';
import type { Sample } from './samples.ts';

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

/** The lines of the panels, as paths. */
function linesOf(svg: string): readonly string[] {
  return [...svg.matchAll(/<path d="([^"]*)" fill="none"/g)].map(([, path = '']) => path);
}

/** What stands below the first panel. */
function timesOf(svg: string): readonly string[] {
  return [...svg.matchAll(/text-anchor="middle" fill="#718096">([^<]*)</g)].map(([, text = '']) => text);
}

function secondsOf(count: number, latencyAt: (second: number) => number | null = () => 5): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    return { atMs: (index + 1) * 1_000, sent: 3, vms: 3, latencyP95Ms: latencyAt(index) };
  });
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
  expect(linesOf(svg)).toHaveLength(3);
  for (const title of ['requests a second', 'VMs', 'latency, p95']) expect(svg).toContain(title);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test('a long run has no more points than there are pixels, and a short one or none has a chart too', async () => {
  const report = await reportOf(2);
  const many = Array.from({ length: 100_000 }, (_, second): Sample => {
    return { atMs: second * 1_000, sent: second % 7, vms: 3, latencyP95Ms: second % 5 === 0 ? null : 12.5 };
  });
  const lines = linesOf(chartOf({ ...report, samples: many }));
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line.split(' ').length).toBeLessThanOrEqual(800);
  for (const samples of [[], many.slice(0, 1)]) {
    const svg = chartOf({ ...report, samples });
    expect(unbalanced(svg)).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});

test('the line of the latency has a gap where nothing was answered, and a dot for a second alone', async () => {
  const samples = secondsOf(9, (second) => ([0, 1, 2, 5, 7, 8].includes(second) ? 5 : null));
  const latency = linesOf(chartOf({ ...(await reportOf(2)), samples }))[2] ?? '';
  const stretches = latency.split('M').slice(1);
  expect(stretches.map((one) => one.split('L').length)).toEqual([3, 1, 2]);
  expect(stretches[1]).toMatch(/ h2 $/);
});

test.each([
  [78, '0 s, 10 s, 20 s, 30 s, 40 s, 50 s, 60 s, 70 s', '78 simulated seconds'],
  [133, '0 s, 30 s, 60 s, 90 s, 120 s', '2.2 simulated minutes'],
  [3_510, '0 min, 10 min, 20 min, 30 min, 40 min, 50 min', '58.5 simulated minutes'],
  [86_412, '0 h, 6 h, 12 h, 18 h, 24 h', '24.0 simulated hours'],
  [604_812, '0 d, 1 d, 2 d, 3 d, 4 d, 5 d, 6 d, 7 d', '7.0 simulated days'],
])(
  'after %d seconds the moments below are round ones, and the title has a unit that suits',
  async (count, times, span) => {
    const svg = chartOf({ ...(await reportOf(2)), samples: secondsOf(count), simulatedMs: count * 1_000 });
    const below = timesOf(svg);
    expect(below.slice(0, below.length / 3).join(', ')).toBe(times);
    expect(svg).toContain(` requests in ${span}, `);
  },
);
