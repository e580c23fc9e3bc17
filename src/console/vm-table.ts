import { type FleetSnapshot, shortDigest, type VmRow } from '../fleet/mod.ts';
import { cellsOf, clipText, fitText, harmless } from './cell-text.ts';
import { shortBytes, shortCount, shortDuration } from './figures.ts';
import { phaseOf } from './history.ts';
import { clipLine, type Line, span, type Tone, widthOf } from './line.ts';
import { hasManyImages, vmName } from './merged-snapshot.ts';
import type { SortKey, VmKey } from './ui.ts';

interface Column {
  readonly title: string;
  /** The title where room is short. */
  readonly short?: string;
  readonly sort?: SortKey;
  readonly align?: 'right';
  readonly cell: (vm: VmRow) => string;
  readonly tone?: (vm: VmRow) => Tone;
  /** Where the table is too wide, columns with a higher figure are left out first. Without a figure a column stays. */
  readonly drop?: number;
  readonly cellsMax?: number;
}

const BUSY_CPU_PERCENT = 80;

/** `isMany`: there are several hosts. `hasImages`: VMs run different images. */
function columnsFor(isMany: boolean, hasImages: boolean): readonly Column[] {
  return [
    { title: 'VM', sort: 'id', align: 'right', cell: (vm) => harmless(vmName(vm, isMany)), cellsMax: 24 },
    ...COLUMNS,
    ...(hasImages ? [IMAGE] : []),
  ];
}

const IMAGE: Column = { title: 'IMAGE', cell: (vm) => harmless(shortDigest(vm.image_digest ?? '-')), drop: 3 };

const COLUMNS: readonly Column[] = [
  { title: 'STATE', sort: 'state', cell: (vm) => vm.state, tone: (vm) => TONES[phaseOf(vm.state)] },
  { title: 'ADDRESS', cell: (vm) => harmless(vm.address), drop: 2, cellsMax: 24 },
  { title: 'HOST', cell: (vm) => harmless(vm.host), drop: 5, cellsMax: 16 },
  {
    title: 'CPU',
    sort: 'cpu',
    align: 'right',
    cell: (vm) => (vm.cpu === null ? '-' : `${Math.round(vm.cpu)}%`),
    tone: (vm) => ((vm.cpu ?? 0) >= BUSY_CPU_PERCENT ? 'strong' : 'plain'),
  },
  { title: 'RAM', sort: 'ram', align: 'right', cell: (vm) => shortBytes(vm.ram), drop: 3 },
  {
    title: 'IN FLIGHT',
    short: 'FLIGHT',
    sort: 'in flight',
    align: 'right',
    cell: (vm) => shortCount(vm.in_flight),
    tone: (vm) => (vm.in_flight > 0 ? 'strong' : 'plain'),
  },
  { title: 'SERVED', sort: 'served', align: 'right', cell: (vm) => shortCount(vm.served), drop: 1 },
  { title: 'IDLE', sort: 'idle', align: 'right', cell: (vm) => String(vm.free_count), drop: 6 },
  { title: 'UPTIME', sort: 'uptime', align: 'right', cell: (vm) => shortDuration(vm.uptime_ms), drop: 4 },
];

const TONES: Readonly<Record<ReturnType<typeof phaseOf>, Tone>> = {
  ready: 'good',
  starting: 'coming',
  leaving: 'leaving',
  lost: 'bad',
};

/** Sorts the VMs for the table: figures in descending order, ids in ascending order. */
export function inOrder({ vms }: Pick<FleetSnapshot, 'vms'>, sort: SortKey): readonly VmRow[] {
  const compare = COMPARISONS[sort];
  return vms.toSorted((a, b) => compare(a, b) || a.id_vmachine - b.id_vmachine || (a.host < b.host ? -1 : 1));
}

const COMPARISONS: Readonly<Record<SortKey, (a: VmRow, b: VmRow) => number>> = {
  id: () => 0,
  state: (a, b) => (a.state < b.state ? -1 : Number(a.state > b.state)),
  cpu: (a, b) => (b.cpu ?? -1) - (a.cpu ?? -1),
  ram: (a, b) => (b.ram ?? -1) - (a.ram ?? -1),
  'in flight': (a, b) => b.in_flight - a.in_flight,
  served: (a, b) => b.served - a.served,
  idle: (a, b) => b.free_count - a.free_count,
  uptime: (a, b) => (b.uptime_ms ?? -1) - (a.uptime_ms ?? -1),
};

export interface TableOptions {
  /** All VMs, because the widths of columns must not depend on the visible rows. */
  readonly vms: readonly VmRow[];
  /** The VMs that get a line. */
  readonly shown: readonly VmRow[];
  readonly sort: SortKey | undefined;
  readonly selected: VmKey | undefined;
  /** There are several hosts, so that a number alone names no VM. */
  readonly isMany: boolean;
  readonly cells: number;
}

/** A line of titles, and one for each VM that is shown. */
export function tableLines({ vms, shown, sort, selected, isMany, cells }: TableOptions): readonly Line[] {
  const { columns, gap } = fitting(columnsFor(isMany, hasManyImages({ vms, deploy: null })), vms, sort, cells);
  const line = (texts: readonly string[], toneOf: (column: Column) => Tone, filler: Tone): Line => {
    const spans = columns.flatMap(({ column, width }, index) => [
      span(index === 0 ? ' ' : ' '.repeat(gap), filler),
      span(fitText(texts[index] ?? '', width, column.align), toneOf(column)),
    ]);
    return clipLine(spans, cells);
  };
  const titles = columns.map(({ title }) => title);
  const head = line(
    titles,
    (column) => (column.sort !== undefined && column.sort === sort ? 'strong' : 'quiet'),
    'quiet',
  );
  const rows = shown.map((vm) => {
    const texts = columns.map(({ column }) => column.cell(vm));
    if (vmName(vm, isMany) !== selected) return line(texts, (column) => column.tone?.(vm) ?? 'plain', 'plain');
    const row = line(texts, () => 'selected', 'selected');
    return [...row, span(' '.repeat(Math.max(0, cells - widthOf(row))), 'selected')];
  });
  return [head, ...rows];
}

interface Fitted {
  readonly column: Column;
  readonly title: string;
  readonly width: number;
}

/** Tries wide gaps and whole titles first, then leaves out column after column. */
function fitting(
  all: readonly Column[],
  vms: readonly VmRow[],
  sort: SortKey | undefined,
  cells: number,
): { readonly columns: readonly Fitted[]; readonly gap: number } {
  const contents = new Map(all.map((column) => [column, contentWidth(column, vms)]));
  const sized = (column: Column, short: boolean): Fitted => {
    const name = short ? (column.short ?? column.title) : column.title;
    const title = column.sort !== undefined && column.sort === sort ? `${name}↓` : name;
    return { column, title, width: Math.max(cellsOf(title), contents.get(column) ?? 0) };
  };
  const dropped = all.flatMap(({ drop }) => drop ?? []).sort((a, b) => b - a);
  for (const from of [Number.POSITIVE_INFINITY, ...dropped]) {
    const kept = all.filter(({ drop }) => drop === undefined || drop < from);
    for (const { gap, short } of FITS) {
      const columns = kept.map((column) => sized(column, short));
      const width = columns.reduce((total, column) => total + column.width + gap, 0);
      if (width <= cells) return { columns, gap };
    }
  }
  const least = all.filter(({ drop }) => drop === undefined);
  return { columns: least.map((column) => sized(column, true)), gap: 1 };
}

/** From roomy to tight. */
const FITS = [
  { gap: 3, short: false },
  { gap: 2, short: false },
  { gap: 2, short: true },
  { gap: 1, short: true },
] as const;

function contentWidth(column: Column, vms: readonly VmRow[]): number {
  const max = column.cellsMax ?? 20;
  return vms.reduce((width, vm) => Math.max(width, cellsOf(clipText(column.cell(vm), max))), 0);
}
