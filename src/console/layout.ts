import type { Rect, Size } from './view.ts';

export const SIZE_MIN: Size = { width: 40, height: 8 };

/** The place of each part of the screen; undefined if there is no room for it. */
export interface Layout {
  readonly header: Rect;
  readonly charts: readonly Rect[];
  readonly table: Rect;
  readonly events: Rect | undefined;
  readonly footer: Rect;
  readonly overlay: Rect;
}

const HEADER_LINES = 2;
const FOOTER_LINES = 1;
/** Below this height the table needs the room more than a chart. */
const CHARTS_FROM_HEIGHT = 20;
const EVENTS_FROM_HEIGHT = 13;
/** From this width on each chart has a panel of its own. */
const FOUR_CHARTS_FROM_WIDTH = 160;
/** From this width on the events stand beside the table. */
const BESIDE_FROM_WIDTH = 150;
const TABLE_WIDTH = 90;

/** Undefined if the terminal is too small for anything. */
export function layoutOf(size: Size): Layout | undefined {
  const { width, height } = size;
  if (width < SIZE_MIN.width || height < SIZE_MIN.height) return undefined;
  const chartsHeight = height < CHARTS_FROM_HEIGHT ? 0 : within(Math.round(height * 0.27), 7, 14);
  const top = HEADER_LINES + chartsHeight;
  const rest = height - top - FOOTER_LINES;
  const body = { left: 0, top, width, height: rest };
  return {
    header: { left: 0, top: 0, width, height: HEADER_LINES },
    charts: chartsHeight === 0 ? [] : chartsOf(width, chartsHeight),
    ...(width >= BESIDE_FROM_WIDTH ? beside(body) : below(body, height)),
    footer: { left: 0, top: height - FOOTER_LINES, width, height: FOOTER_LINES },
    overlay: overlayOf(size),
  };
}

/** The rows of charts share the width without a gap. */
function chartsOf(width: number, height: number): readonly Rect[] {
  const count = width >= FOUR_CHARTS_FROM_WIDTH ? 4 : 2;
  const edge = (index: number): number => Math.round((width * index) / count);
  return Array.from({ length: count }, (_, index) => ({
    left: edge(index),
    top: HEADER_LINES,
    width: edge(index + 1) - edge(index),
    height,
  }));
}

function beside(body: Rect): Pick<Layout, 'table' | 'events'> {
  const tableWidth = Math.max(TABLE_WIDTH, Math.round(body.width / 2));
  return {
    table: { ...body, width: tableWidth },
    events: { ...body, left: tableWidth, width: body.width - tableWidth },
  };
}

function below(body: Rect, height: number): Pick<Layout, 'table' | 'events'> {
  if (height < EVENTS_FROM_HEIGHT) return { table: body, events: undefined };
  const eventsHeight = within(Math.round(height * 0.25), 4, 14);
  const tableHeight = body.height - eventsHeight;
  return {
    table: { ...body, height: tableHeight },
    events: { ...body, top: body.top + tableHeight, height: eventsHeight },
  };
}

/** Covers the middle and, where there is room, leaves the edges below visible. A single visible column would look broken. */
function overlayOf({ width, height }: Size): Rect {
  const margin = { x: width >= 100 ? 8 : 0, y: height >= 30 ? 4 : 1 };
  return { left: margin.x, top: margin.y, width: width - 2 * margin.x, height: height - 2 * margin.y };
}

function within(figure: number, min: number, max: number): number {
  return Math.min(Math.max(min, figure), max);
}
