import type { Report, Sample } from './report.ts';

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 24;
const PANEL_HEIGHT = 150;
const PANEL_GAP = 44;
const TOP = 56;
const POINTS_MAX = 800;

interface Panel {
  readonly title: string;
  readonly color: string;
  readonly of: (sample: Sample) => number | null;
  /** Several seconds become one point. */
  readonly merge: 'sum-per-second' | 'max';
  readonly filled: boolean;
}

const PANELS: readonly Panel[] = [
  { title: 'requests a second', color: '#2b6cb0', of: ({ sent }) => sent, merge: 'sum-per-second', filled: true },
  { title: 'VMs', color: '#2f855a', of: ({ vms }) => vms, merge: 'max', filled: true },
  {
    title: 'latency, p95 of a second, ms',
    color: '#c05621',
    of: ({ latencyP95Ms }) => latencyP95Ms,
    merge: 'max',
    filled: false,
  },
];

/** Load, VMs and latency over time, as one SVG. */
export function chartOf({ samples, requests, vms, seed, simulatedMs }: Report): string {
  const height = TOP + PANELS.length * (PANEL_HEIGHT + PANEL_GAP);
  const minutes = (simulatedMs / 60_000).toFixed(1);
  const title = `${requests.sent} requests in ${minutes} simulated minutes, ${vms.started} VM starts, seed ${seed}`;
  const panels = PANELS.map((panel, index) => panelOf(panel, samples, TOP + index * (PANEL_HEIGHT + PANEL_GAP)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="${LEFT}" y="28" font-size="15" fill="#1a202c">${title}</text>
${panels.join('\n')}
</svg>
`;
}

function panelOf({ title, color, of, merge, filled }: Panel, samples: readonly Sample[], top: number): string {
  const size = Math.max(1, Math.ceil(samples.length / POINTS_MAX));
  const points: { x: number; value: number }[] = [];
  const inner = WIDTH - LEFT - RIGHT;
  for (let from = 0; from < samples.length; from += size) {
    const values = samples.slice(from, from + size).flatMap((sample) => of(sample) ?? []);
    if (values.length === 0) continue;
    const value = merge === 'max' ? Math.max(...values) : values.reduce((sum, one) => sum + one, 0) / values.length;
    points.push({ x: LEFT + (inner * from) / Math.max(1, samples.length - 1), value });
  }
  const most = niceCeiling(Math.max(1, ...points.map(({ value }) => value)));
  const bottom = top + PANEL_HEIGHT;
  const y = (value: number): number => bottom - (PANEL_HEIGHT * value) / most;
  const line = points.map(({ x, value }) => `${x.toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const grid = [0, 0.5, 1].map((share) => {
    const at = y(share * most);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#e2e8f0"/><text x="${LEFT - 8}" y="${at + 4}" text-anchor="end" fill="#718096">${label(share * most)}</text>`;
  });
  const lastS = (samples.at(-1)?.atMs ?? 0) / 1_000;
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const x = LEFT + inner * share;
    return `<text x="${x}" y="${bottom + 16}" text-anchor="middle" fill="#718096">${timeLabel(share * lastS)}</text>`;
  });
  const first = points[0];
  const last = points.at(-1);
  const area =
    filled && first !== undefined && last !== undefined
      ? `<polygon points="${first.x.toFixed(1)},${bottom} ${line} ${last.x.toFixed(1)},${bottom}" fill="${color}" fill-opacity="0.15"/>`
      : '';
  return [
    `<text x="${LEFT}" y="${top - 8}" fill="#4a5568">${title}</text>`,
    ...grid,
    area,
    `<polyline points="${line}" fill="none" stroke="${color}" stroke-width="1.5" stroke-linejoin="round"/>`,
    ...times,
  ].join('\n');
}

/** 1, 2 or 5 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function label(value: number): string {
  return value >= 1_000 ? `${value / 1_000}k` : String(value);
}

function timeLabel(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3_600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} d`;
}
