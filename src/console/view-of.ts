import { clipText, harmless } from './cell-text.ts';
import { chartPanels } from './charts.ts';
import type { EventLine } from './event-lines.ts';
import type { Facts, Hints } from './facts.ts';
import { timeOfDay } from './figures.ts';
import { headerLines } from './header.ts';
import { type Layout, layoutOf, SIZE_MIN } from './layout.ts';
import { clipLine, type Line, span, spread } from './line.ts';
import { hasManyHosts, vmName } from './merged-snapshot.ts';
import { overlayLines, overlayPanel } from './overlay.ts';
import { indexOfSelected, type Seen, type SortKey, type Ui } from './ui.ts';
import { innerOf, type Panel, type Rect, type Size, titleRoom, type View } from './view.ts';
import { inOrder, tableLines } from './vm-table.ts';

/** Composes the screen. Never throws, whatever the fleet and however small the terminal. */
export function viewOf(facts: Facts, ui: Ui, size: Size, hints: Hints): View {
  const layout = layoutOf(size);
  if (layout === undefined) return tooSmall(size);
  const { header, footer } = layout;
  const headerOptions = { paused: ui.paused, phases: layout.charts.length === 0, cells: header.width };
  const panels: Panel[] = [
    { id: 'header', rect: header, lines: headerLines(facts, hints, headerOptions) },
    ...chartPanels(facts, layout.charts),
    tablePanel(facts, ui, layout.table),
    { id: 'footer', rect: footer, lines: [footerLine(hints.quit, footer.width)] },
  ];
  if (layout.events !== undefined) panels.push(eventsPanel(facts, layout.events));
  if (ui.overlay !== undefined) panels.push(overlayPanel(ui.overlay, layout.overlay, hints));
  return { size, panels };
}

/** The part of the view that keys depend on. */
export function seenOf(facts: Facts, ui: Ui, size: Size, hints: Hints): Seen {
  const order = inOrder(facts.snapshot, ui.sort).map((vm) => vmName(vm, hasManyHosts(facts.snapshot)));
  const layout = layoutOf(size);
  if (layout === undefined) return { order, rows: 0, overlayRows: 0, overlayLines: 0 };
  const { overlay } = layout;
  return {
    order,
    rows: rowsOf(layout),
    overlayRows: innerOf(overlay).height,
    overlayLines: ui.overlay === undefined ? 0 : overlayLines(ui.overlay, overlay, hints).length,
  };
}

function tooSmall(size: Size): View {
  const { width, height } = size;
  if (width < 1 || height < 1) return { size, panels: [] };
  const text = `${width}x${height} is too small: ${SIZE_MIN.width}x${SIZE_MIN.height} at least`;
  const lines = [[span(clipText(text, width))]];
  return { size, panels: [{ id: 'too-small', rect: { left: 0, top: 0, width, height }, lines }] };
}

/** The line of titles is no row. */
function rowsOf({ table }: Layout): number {
  return Math.max(0, innerOf(table).height - 1);
}

function tablePanel({ snapshot, lost }: Facts, { sort, selected }: Ui, rect: Rect): Panel {
  const inner = innerOf(rect);
  const rows = Math.max(0, inner.height - 1);
  const vms = inOrder(snapshot, sort);
  const isMany = hasManyHosts(snapshot);
  const order = vms.map((vm) => vmName(vm, isMany));
  const index = indexOfSelected(selected, order);
  const from = firstRow(vms.length, rows, selected === undefined ? 0 : (index ?? 0));
  const lines = tableLines({
    vms,
    shown: vms.slice(from, from + rows),
    sort,
    isMany,
    selected: selected === undefined || index === undefined ? undefined : order[index],
    cells: inner.width,
  }).slice(0, inner.height);
  if (vms.length === 0 && rows > 0) lines.push([span(' No VM runs.', 'quiet')]);
  return {
    id: 'table',
    rect,
    title: clipLine(tableTitle(vms.length, from, rows, sort), titleRoom(rect)),
    lines: lost === undefined ? lines : lines.map(faded),
  };
}

/** Marks a line as possibly out of date. */
function faded(line: Line): Line {
  return line.map(({ text, tone }) => span(text, tone === 'selected' ? tone : 'quiet'));
}

function tableTitle(vms: number, from: number, rows: number, sort: SortKey): Line {
  const range = vms > rows ? `${from + 1} to ${Math.min(vms, from + rows)} of ${vms}` : String(vms);
  return [span('VMs ', 'strong'), span(`${range}, by ${sort}`, 'quiet')];
}

/** The selected row stays in sight, in the middle where it can. */
function firstRow(count: number, rows: number, selected: number): number {
  return Math.max(0, Math.min(selected - Math.floor(rows / 2), count - rows));
}

/** The newest at the bottom. */
function eventsPanel({ events }: Facts, rect: Rect): Panel {
  const inner = innerOf(rect);
  const newest = inner.height === 0 ? [] : events.slice(-inner.height);
  const lines = newest.map((event) => clipLine(lineOfEvent(event), inner.width));
  return { id: 'events', rect, title: clipLine([span('Events', 'strong')], titleRoom(rect)), lines };
}

export function lineOfEvent({ atMs, text, tone }: EventLine): Line {
  return [span(` ${timeOfDay(atMs)} `, 'quiet'), span(harmless(text), tone)];
}

function footerLine(quit: string, cells: number): Line {
  const keys: readonly (readonly [string, string])[] = [
    ['q', quit],
    ['?', 'help'],
    ['↑↓', 'choose'],
    ['Enter', 'detail'],
    ['l', 'log'],
    ['s', 'sort'],
    ['p', 'pause'],
  ];
  const line = keys.flatMap(([key, about]) => [span(` ${key}`, 'accent'), span(` ${about} `)]);
  return spread(line, [], cells);
}
