import { harmless, wrapText } from './cell-text.ts';
import type { Hints } from './facts.ts';
import { clipLine, type Line, span } from './line.ts';
import type { Overlay } from './ui.ts';
import { innerOf, type Panel, type Rect, titleRoom } from './view.ts';

/** The panel that covers the others until Escape: help, or details of one VM. */
export function overlayPanel(overlay: Overlay, rect: Rect, hints: Hints): Panel {
  const inner = innerOf(rect);
  const lines = overlayLines(overlay, rect, hints);
  const more = lines.length > inner.height ? ', ↑↓ scroll' : '';
  return {
    id: 'overlay',
    rect,
    title: clipLine([span(titleOf(overlay), 'strong'), span(`  Esc closes${more}`, 'quiet')], titleRoom(rect)),
    lines: lines.slice(...rangeOf(overlay, lines.length, inner.height)).map((line) => clipLine(line, inner.width)),
  };
}

/** All lines that the overlay has, seen or not. */
export function overlayLines(overlay: Overlay, rect: Rect, hints: Hints): readonly Line[] {
  if (overlay.kind === 'help') return helpLines(hints, innerOf(rect).width);
  const { text } = overlay;
  if (text === undefined) return [[span(' …', 'quiet')]];
  if (text.length === 0) return [[span(' it has printed nothing', 'quiet')]];
  const cells = innerOf(rect).width - 2;
  return text.flatMap((line) => wrapText(harmless(line), cells).map((part) => [span(` ${part}`)]));
}

function titleOf(overlay: Overlay): string {
  switch (overlay.kind) {
    case 'help':
      return 'Help';
    case 'inspect':
      return `VM ${harmless(overlay.vm)}`;
    case 'logs':
      return `Log of VM ${harmless(overlay.vm)}`;
  }
}

/** A log is seen from its end. */
function rangeOf({ kind, scroll }: Overlay, lines: number, rows: number): [number, number] {
  const last = Math.max(0, lines - rows);
  const from = kind === 'logs' ? last - scroll : scroll;
  const first = Math.min(Math.max(0, from), last);
  return [first, first + rows];
}

function helpLines({ quit, canSuspend }: Hints, cells: number): readonly Line[] {
  const keys: readonly (readonly [string, string])[] = [
    ['q, Ctrl-C', quit],
    ['↑ ↓ PgUp PgDn', 'choose a VM; scroll what is open'],
    ['Home End', 'the first and the last'],
    ['Enter', 'all about the chosen VM: what `shoal inspect` says'],
    ['l', 'the end of its log: what `shoal logs` says'],
    ['s', 'sort by the next column'],
    ['p', 'pause: the screen stands still, the fleet does not'],
    ['?', 'this help'],
    ['Esc', 'close what is open'],
    ['Ctrl-L', 'draw the screen anew'],
    ...(canSuspend ? [['Ctrl-Z', 'suspend; `fg` in the shell comes back'] as const] : []),
  ];
  const colours: readonly Line[] = [
    [span(' ready        ', 'good'), span('takes requests')],
    [span(' starting     ', 'coming'), span('being prepared, or booting')],
    [span(' leaving      ', 'leaving'), span('drained, or being ended')],
    [span(' out of reach ', 'bad'), span('nothing is heard of its host')],
  ];
  return [
    ...keys.map(([key, about]): Line => [span(` ${key.padEnd(14)} `, 'accent'), span(about)]),
    [],
    ...colours,
    [],
    ...NOTES.flatMap((note) => noteLines(note, cells)),
  ];
}

const NOTES = [
  'Charts: a dot a second. In flight: on VMs. Waiting: on none yet.',
  'IDLE: reports without load in a row; at free_count a VM is surplus.',
  'Times are UTC.',
];

/** Between words, as far as they have room. */
function noteLines(note: string, cells: number): readonly Line[] {
  const lines: string[] = [];
  for (const word of note.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length <= cells) lines[lines.length - 1] = longer;
    else lines.push(` ${word}`);
  }
  return lines.map((line) => [span(line, 'quiet')]);
}
