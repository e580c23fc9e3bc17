import { fitText } from './cell-text.ts';
import { blocksOf, chartPanel, timeAxis } from './chart.ts';
import type { Facts } from './facts.ts';
import { shortCount } from './figures.ts';
import { phaseSpans } from './header.ts';
import { clipLine, type Line, type Span, span, type Tone } from './line.ts';
import { innerOf, type Panel, type Rect, titleRoom } from './view.ts';

/** The charts over time: as many panels as there are rectangles, two or four. */
export function chartPanels(facts: Facts, rects: readonly Rect[]): readonly Panel[] {
  const [first, second, third, fourth] = rects;
  if (first === undefined || second === undefined) return [];
  const vms = vmChart(facts, first);
  if (third === undefined || fourth === undefined) return [vms, loadPanel(facts, second)];
  return [vms, rateChart(facts, second), workChart(facts, third), cpuChart(facts, fourth)];
}

/** The figures of the latest look, each with its name. */
export function loadFigures({ history }: Pick<Facts, 'history'>): readonly LoadFigure[] {
  const latest = history.at(-1);
  const waiting = latest?.waiting ?? 0;
  return [
    {
      name: 'requests/s',
      text: shortCount(latest?.requestsPerSecond ?? 0),
      tone: 'accent',
      values: history.map((sample) => sample.requestsPerSecond),
      least: 1,
    },
    {
      name: 'in flight',
      text: shortCount(latest?.inFlight ?? 0),
      tone: 'good',
      values: history.map((sample) => sample.inFlight),
      least: 4,
    },
    {
      name: 'waiting',
      text: shortCount(waiting),
      tone: 'bad',
      values: history.map((sample) => sample.waiting),
      least: 4,
    },
    {
      name: 'mean CPU',
      text: `${Math.round(latest?.cpuPercent ?? 0)}%`,
      tone: 'coming',
      values: history.map((sample) => sample.cpuPercent),
      least: 100,
    },
  ];
}

export interface LoadFigure {
  readonly name: string;
  readonly text: string;
  readonly tone: Tone;
  /** Oldest first. */
  readonly values: readonly number[];
  readonly least: number;
}

function vmChart(facts: Facts, rect: Rect): Panel {
  const { history, snapshot } = facts;
  return chartPanel({
    id: 'chart-vms',
    rect,
    title: [span('VMs  ', 'strong'), ...phaseSpans(snapshot)],
    bands: [
      { tone: 'good', values: history.map(({ vms }) => vms.ready) },
      { tone: 'coming', values: history.map(({ vms }) => vms.starting) },
      { tone: 'leaving', values: history.map(({ vms }) => vms.leaving) },
      { tone: 'bad', values: history.map(({ vms }) => vms.lost) },
    ],
    least: 4,
  });
}

function rateChart(facts: Facts, rect: Rect): Panel {
  const [rate] = loadFigures(facts);
  return chartPanel({ id: 'chart-rate', rect, title: titleOf(rate), bands: bandsOf(rate), least: 5 });
}

/** Waiting is stacked on in flight: together they are the requests that clients wait for. */
function workChart(facts: Facts, rect: Rect): Panel {
  const [, inFlight, waiting] = loadFigures(facts);
  const title = [...titleOf(inFlight), span('   '), ...titleOf(waiting)];
  return chartPanel({ id: 'chart-work', rect, title, bands: [...bandsOf(inFlight), ...bandsOf(waiting)], least: 5 });
}

function cpuChart(facts: Facts, rect: Rect): Panel {
  const [, , , cpu] = loadFigures(facts);
  return chartPanel({ id: 'chart-cpu', rect, title: titleOf(cpu), bands: bandsOf(cpu), least: 100 });
}

function titleOf(figure: LoadFigure | undefined): Line {
  return figure === undefined ? [] : [span(`${figure.name} `, 'strong'), span(figure.text, figure.tone)];
}

function bandsOf(figure: LoadFigure | undefined): readonly { tone: Tone; values: readonly number[] }[] {
  return figure === undefined ? [] : [{ tone: figure.tone, values: figure.values }];
}

const NAME_CELLS = 11;
const FIGURE_CELLS = 6;

/** All of the load in one panel: a line each. */
function loadPanel(facts: Facts, rect: Rect): Panel {
  const { width, height } = innerOf(rect);
  const cells = Math.max(0, width - NAME_CELLS - FIGURE_CELLS - 2);
  const rows = loadFigures(facts).map((figure): readonly Span[] => [
    span(` ${fitText(figure.name, NAME_CELLS - 1)}`),
    span(fitText(figure.text, FIGURE_CELLS, 'right'), figure.tone),
    span(` ${blocksOf(figure.values, cells, figure.least)}`, figure.tone),
  ]);
  const axis = [span(' '.repeat(NAME_CELLS + FIGURE_CELLS + 1)), ...timeAxis(cells)];
  const lines = [...rows, axis].slice(0, height).map((line) => clipLine(line, width));
  return { id: 'chart-load', rect, title: clipLine([span('Load', 'strong')], titleRoom(rect)), lines };
}
