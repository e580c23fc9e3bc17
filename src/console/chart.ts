import { fitText } from './cell-text.ts';
import { roundUp, shortCount } from './figures.ts';
import { clipLine, type Line, span } from './line.ts';
import { innerOf, type Panel, type Plot, type Rect, titleRoom } from './view.ts';

export interface ChartOptions {
  readonly id: string;
  readonly rect: Rect;
  readonly title: Line;
  /** The lowest first; values oldest first, one a second. */
  readonly bands: Plot['bands'];
  /** The upper end is at least this. */
  readonly least: number;
}

/** Dots across a cell: `Plot` says why. */
const DOTS = 2;

/** A panel with areas over time: the upper end and 0 at the left, the time below. */
export function chartPanel({ id, rect, title, bands, least }: ChartOptions): Panel {
  const inner = innerOf(rect);
  const panel = { id, rect, title: clipLine(title, titleRoom(rect)) };
  // Only visible values set the upper end, so a peak that has left the chart does not flatten it.
  const widest = { ...inner, width: Math.max(1, inner.width - 2) };
  const max = roundUp(peakOf(seenIn(bands, widest.width)), least);
  const scale = shortCount(max);
  const plot = { left: scale.length + 1, top: 0, width: inner.width - scale.length - 1, height: inner.height - 1 };
  if (plot.width < 4 || plot.height < 1) return { ...panel, lines: [] };
  const rows = Array.from({ length: plot.height }, (_, row): Line => {
    const label = row === 0 ? scale : row === plot.height - 1 ? '0' : '';
    return [span(fitText(label, scale.length, 'right'), 'quiet')];
  });
  const axis = timeAxis(plot.width);
  const lines = [...rows, [span(' '.repeat(scale.length + 1)), ...axis]];
  return { ...panel, lines, plot: { rect: plot, max, bands: seenIn(bands, plot.width) } };
}

/** `-66s      now`, under a plot or a row of blocks of that many cells. */
export function timeAxis(cells: number): Line {
  const from = `-${cells * DOTS}s`;
  const gap = cells - from.length - 'now'.length;
  return gap < 1 ? [] : [span(`${from}${' '.repeat(gap)}now`, 'quiet')];
}

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Values as a row of blocks, two seconds a cell, the newest at the right edge: a chart where there is one line for it. */
export function blocksOf(values: readonly number[], cells: number, least: number): string {
  const pairs: number[] = [];
  for (let end = values.length; end > 0 && pairs.length < cells; end -= DOTS) {
    pairs.unshift(Math.max(...values.slice(Math.max(0, end - DOTS), end)));
  }
  const max = Math.max(least, ...pairs);
  const blocks = pairs.map((value) => BLOCKS[levelOf(value, max)] ?? ' ');
  return blocks.join('').padStart(Math.max(0, cells));
}

/** Any value above 0 is visible, except for the noise of an idle CPU. */
function levelOf(value: number, max: number): number {
  const top = BLOCKS.length - 1;
  return Math.min(top, Math.max(0, Math.ceil((value / max) * top - 0.1)));
}

function seenIn(bands: Plot['bands'], cells: number): Plot['bands'] {
  return bands.map(({ tone, values }) => ({ tone, values: values.slice(-cells * DOTS) }));
}

/** The highest sum of the stacked areas. */
function peakOf(bands: Plot['bands']): number {
  const length = Math.max(0, ...bands.map(({ values }) => values.length));
  let peak = 0;
  for (let index = 0; index < length; index++) {
    peak = Math.max(
      peak,
      bands.reduce((total, { values }) => total + (values[index] ?? 0), 0),
    );
  }
  return peak;
}
