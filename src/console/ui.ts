/** Names a VM: its number, and before it the host where there are several (`vmName`). */
export type VmKey = string;

/** What the user has chosen to see. */
export interface Ui {
  readonly sort: SortKey;
  /** The VM that the keys act on; it may be gone. */
  readonly selected: VmKey | undefined;
  readonly paused: boolean;
  readonly overlay: Overlay | undefined;
}

export const SORT_KEYS = ['id', 'state', 'cpu', 'ram', 'in flight', 'served', 'idle', 'uptime'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export type Overlay =
  | { readonly kind: 'help'; readonly scroll: number }
  /** `text` is undefined until it has come. */
  | {
      readonly kind: 'inspect' | 'logs';
      readonly vm: VmKey;
      readonly text: readonly string[] | undefined;
      /** First line shown; of a log how many lines the last one shown is from the end, so that it stays at its newest. */
      readonly scroll: number;
    };

/** What stands on the screen, as far as keys depend on it. */
export interface Seen {
  /** VMs in the order of the table. */
  readonly order: readonly VmKey[];
  /** Rows that the table shows at a time. */
  readonly rows: number;
  /** Lines that the overlay shows at a time, and has in all. */
  readonly overlayRows: number;
  readonly overlayLines: number;
}

export const UI_AT_START: Ui = { sort: 'id', selected: undefined, paused: false, overlay: undefined };

/** Applies a key, by blessed's name: it changes what is shown, or ends or suspends the dashboard. */
export function press(ui: Ui, key: string, seen: Seen): Ui | 'quit' | 'suspend' {
  if (key === 'q' || key === 'C-c') return 'quit';
  if (key === 'C-z') return 'suspend';
  if (key === '?' || key === 'h') return { ...ui, overlay: ui.overlay?.kind === 'help' ? undefined : HELP };
  if (key === 'p') return { ...ui, paused: !ui.paused };
  if (key === 's') return { ...ui, sort: nextSort(ui.sort) };
  if (key === 'escape') return { ...ui, overlay: undefined };
  if (key === 'enter') return open(ui, 'inspect', seen);
  if (key === 'l') return open(ui, 'logs', seen);
  const steps = stepsOf(key, ui.overlay === undefined ? seen.rows : seen.overlayRows);
  if (steps === undefined) return ui;
  if (ui.overlay === undefined) return { ...ui, selected: moved(ui.selected, steps, seen.order) };
  return { ...ui, overlay: scrolled(ui.overlay, steps, seen) };
}

/** Puts content into the overlay that it was fetched for, if that is still open. */
export function filled(ui: Ui, kind: 'inspect' | 'logs', vm: VmKey, text: readonly string[]): Ui {
  const { overlay } = ui;
  if (overlay === undefined || overlay.kind !== kind || overlay.vm !== vm) return ui;
  return { ...ui, overlay: { ...overlay, text } };
}

/** The row of the selected VM, or the first row if it has gone; undefined if there are no VMs. */
export function indexOfSelected(selected: VmKey | undefined, order: readonly VmKey[]): number | undefined {
  if (order.length === 0) return undefined;
  const index = selected === undefined ? -1 : order.indexOf(selected);
  return Math.max(0, index);
}

const HELP: Overlay = { kind: 'help', scroll: 0 };

function nextSort(sort: SortKey): SortKey {
  const next = SORT_KEYS[(SORT_KEYS.indexOf(sort) + 1) % SORT_KEYS.length];
  return next ?? 'id';
}

/** The same key closes what it opened. */
function open(ui: Ui, kind: 'inspect' | 'logs', { order }: Seen): Ui {
  if (ui.overlay?.kind === kind) return { ...ui, overlay: undefined };
  const shown = ui.overlay === undefined || ui.overlay.kind === 'help' ? undefined : ui.overlay.vm;
  const vm = shown ?? order[indexOfSelected(ui.selected, order) ?? 0];
  if (vm === undefined) return ui;
  return { ...ui, selected: vm, overlay: { kind, vm, text: undefined, scroll: 0 } };
}

function stepsOf(key: string, rows: number): number | undefined {
  const page = Math.max(1, rows - 1);
  switch (key) {
    case 'up':
    case 'k':
      return -1;
    case 'down':
    case 'j':
      return 1;
    case 'pageup':
      return -page;
    case 'pagedown':
      return page;
    case 'home':
      return Number.NEGATIVE_INFINITY;
    case 'end':
      return Number.POSITIVE_INFINITY;
    default:
      return undefined;
  }
}

function moved(selected: VmKey | undefined, steps: number, order: readonly VmKey[]): VmKey | undefined {
  const index = indexOfSelected(selected, order);
  if (index === undefined) return undefined;
  // The first press shows where the selection is.
  const to = selected === undefined && Math.abs(steps) === 1 ? index : index + steps;
  return order[within(to, order.length - 1)];
}

function scrolled(overlay: Overlay, steps: number, { overlayRows, overlayLines }: Seen): Overlay {
  const towards = overlay.kind === 'logs' ? -steps : steps;
  return { ...overlay, scroll: within(overlay.scroll + towards, overlayLines - overlayRows) };
}

function within(figure: number, max: number): number {
  return Math.min(Math.max(0, figure), Math.max(0, max));
}
