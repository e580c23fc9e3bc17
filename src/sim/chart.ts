import type { Report } from './report.ts';
import type { Sample } from './samples.ts';

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 32;
const INNER = WIDTH - LEFT - RIGHT;
const PANEL_HEIGHT = 150;
const PANEL_GAP = 48;
const TOP = 68;
const POINTS_MAX = 800;
const TICKS_MAX = 8;

interface Panel {
  readonly title: string;
  readonly color: string;
  readonly of: (sample: Sample) => number | null;
  /** Several seconds become one point. */
  readonly merge: 'sum-per-second' | 'max';
  readonly filled: boolean;
  /** The axis goes at least up to this. */
  readonly least: number;
}

const PANELS: readonly Panel[] = [
  {
    title: 'requests a second',
    color: '#2b6cb0',
    of: ({ sent }) => sent,
    merge: 'sum-per-second',
    filled: true,
    least: 1,
  },
  { title: 'VMs', color: '#2f855a', of: ({ vms }) => vms, merge: 'max', filled: true, least: 2 },
  {
    title: 'latency, p95 of a second, ms',
    color: '#c05621',
    of: ({ latencyP95Ms }) => latencyP95Ms,
    merge: 'max',
    filled: false,
    least: 1,
  },
];

interface Point {
  readonly x: number;
  /** Null where there is nothing to show. */
  readonly value: number | null;
}

/** Load, VMs and latency over time, as one SVG. */
export function chartOf({ samples, requests, vms, seed, simulatedMs }: Report): string {
  const height = TOP + PANELS.length * (PANEL_HEIGHT + PANEL_GAP);
  const title = `${requests.sent} requests in ${spanOf(simulatedMs / 1_000)}, ${vms.started} VMs started, seed ${seed}`;
  const panels = PANELS.map((panel, index) => panelOf(panel, samples, TOP + index * (PANEL_HEIGHT + PANEL_GAP)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="${LEFT}" y="28" font-size="15" fill="#1a202c">${title}</text>
${panels.join('\n')}
</svg>
`;
}

function panelOf(panel: Panel, samples: readonly Sample[], top: number): string {
  const { title, color, filled, least } = panel;
  const lastS = (samples.at(-1)?.atMs ?? 0) / 1_000;
  const points = pointsOf(panel, samples, lastS);
  const most = niceCeiling(Math.max(least, ...points.map(({ value }) => value ?? 0)));
  const bottom = top + PANEL_HEIGHT;
  const y = (value: number): number => bottom - (PANEL_HEIGHT * value) / most;
  const grid = [0, 0.5, 1].map((share) => {
    const at = y(share * most);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#e2e8f0"/><text x="${LEFT - 8}" y="${at + 4}" text-anchor="end" fill="#718096">${label(share * most)}</text>`;
  });
  const times = ticksOf(lastS).map(({ atS, text }) => {
    const x = xAt(atS, lastS);
    return `<line x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}" stroke="#a0aec0"/><text x="${x}" y="${bottom + 17}" text-anchor="middle" fill="#718096">${text}</text>`;
  });
  const lines = stretchesOf(points).map((stretch) =>
    stretch.map(({ x, value }) => `${x.toFixed(1)},${y(value).toFixed(1)}`),
  );
  const areas = filled
    ? lines.map((line) => `<path d="${areaUnder(line, bottom)}" fill="${color}" fill-opacity="0.15"/>`)
    : [];
  return [
    `<text x="${LEFT}" y="${top - 10}" fill="#4a5568">${title}</text>`,
    ...grid,
    ...areas,
    `<path d="${lines.map(strokeAlong).join(' ')}" fill="none" stroke="${color}" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"/>`,
    ...times,
  ].join('\n');
}

/** At most as many as there are pixels. */
function pointsOf({ of, merge }: Panel, samples: readonly Sample[], lastS: number): readonly Point[] {
  const size = Math.max(1, Math.ceil(samples.length / POINTS_MAX));
  const points: Point[] = [];
  for (let from = 0; from < samples.length; from += size) {
    const some = samples.slice(from, from + size);
    const beginMs = samples[from - 1]?.atMs ?? 0;
    const endMs = some.at(-1)?.atMs ?? 0;
    const values = some.flatMap((sample) => of(sample) ?? []);
    const sum = values.reduce((total, one) => total + one, 0);
    const value = merge === 'max' ? Math.max(...values) : sum / Math.max(1, (endMs - beginMs) / 1_000);
    points.push({ x: xAt(beginMs / 1_000, lastS), value: values.length === 0 ? null : value });
  }
  return points;
}

/** The points that follow each other without a gap: a line over a gap would show values that there were not. */
function stretchesOf(points: readonly Point[]): readonly (readonly { readonly x: number; readonly value: number }[])[] {
  const stretches: { x: number; value: number }[][] = [];
  let isOpen = false;
  for (const { x, value } of points) {
    if (value !== null && isOpen) stretches.at(-1)?.push({ x, value });
    else if (value !== null) stretches.push([{ x, value }]);
    isOpen = value !== null;
  }
  return stretches;
}

/** A point alone is a dot. */
function strokeAlong(line: readonly string[]): string {
  return line.length === 1 ? `M${line[0]} h2` : `M${line.join(' L')}`;
}

function areaUnder(line: readonly string[], bottom: number): string {
  const xOf = (point = ''): string => point.split(',')[0] ?? '';
  return `M${xOf(line[0])},${bottom} L${line.join(' L')} L${xOf(line.at(-1))},${bottom} Z`;
}

function xAt(atS: number, lastS: number): number {
  return Math.round((LEFT + (lastS === 0 ? 0 : (INNER * atS) / lastS)) * 10) / 10;
}

/** 1, 2, 4, 6 or 8 times a power of ten: its half is a round figure too. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function label(value: number): string {
  return value >= 1_000 ? `${value / 1_000}k` : String(Number(value.toPrecision(3)));
}

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
/** Steps of an axis of time. */
const UNITS = [
  { name: 's', seconds: 1, steps: [1, 2, 5, 10, 15, 30] },
  { name: 'min', seconds: MINUTE_S, steps: [1, 2, 5, 10, 15, 30] },
  { name: 'h', seconds: HOUR_S, steps: [1, 2, 3, 6, 12] },
  { name: 'd', seconds: DAY_S, steps: [1, 2, 5, 10, 20, 50, 100] },
];

/** Round moments from the begin to the end. */
function ticksOf(lastS: number): readonly { readonly atS: number; readonly text: string }[] {
  const all = UNITS.flatMap(({ name, seconds, steps }) => steps.map((step) => ({ name, seconds, step })));
  const { name, seconds, step } = all.find((one) => lastS / (one.step * one.seconds) < TICKS_MAX) ?? {
    name: 'd',
    seconds: DAY_S,
    step: 100,
  };
  const count = Math.floor(lastS / (step * seconds)) + 1;
  return Array.from({ length: count }, (_, index) => {
    return { atS: index * step * seconds, text: `${index * step} ${name}` };
  });
}

function spanOf(seconds: number): string {
  if (seconds < 2 * MINUTE_S) return `${Math.round(seconds)} simulated seconds`;
  if (seconds < 2 * HOUR_S) return `${(seconds / MINUTE_S).toFixed(1)} simulated minutes`;
  if (seconds < 2 * DAY_S) return `${(seconds / HOUR_S).toFixed(1)} simulated hours`;
  return `${(seconds / DAY_S).toFixed(1)} simulated days`;
}
