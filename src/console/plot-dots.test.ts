import { expect, test } from 'vitest';
import { dotsOf } from './plot-dots.ts';
import type { Plot } from './view.ts';

const rect = { left: 0, top: 0, width: 2, height: 1 };

/** Drawn with a letter a tone, a row of dots a line. */
function drawn(plot: Omit<Plot, 'rect'>): readonly string[] {
  const rows = Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => ' '));
  for (const { x, y, tone } of dotsOf({ rect, ...plot })) {
    const row = rows[y];
    if (row?.[x] !== ' ') throw new Error(`the dot ${x},${y} is outside, or drawn twice`);
    row[x] = tone.charAt(0);
  }
  return rows.map((row) => row.join(''));
}

test('areas stand on each other, the newest value at the right edge', () => {
  const bands = [
    { tone: 'good', values: [9, 1, 2, 2] },
    { tone: 'bad', values: [9, 0, 1, 2] },
  ] as const;
  expect(drawn({ max: 4, bands: bands.map(({ tone, values }) => ({ tone, values: values.slice(1) })) })).toEqual([
    '   b',
    '  bb',
    '  gg',
    ' ggg',
  ]);
});

test('what is too little for a dot gets one, and what is too much stays inside', () => {
  expect(drawn({ max: 1_000, bands: [{ tone: 'good', values: [0, 1, 5_000] }] })).toEqual([
    '   g',
    '   g',
    '   g',
    '  gg',
  ]);
});

test('a part above a full area is not drawn outside', () => {
  const bands = [
    { tone: 'good', values: [8] },
    { tone: 'bad', values: [8] },
  ] as const;
  expect(drawn({ max: 8, bands })).toEqual(['   g', '   g', '   g', '   g']);
});
