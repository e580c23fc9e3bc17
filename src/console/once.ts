import { fitText } from './cell-text.ts';
import { loadFigures } from './charts.ts';
import type { Facts, Hints } from './facts.ts';
import { headerLines } from './header.ts';
import { clipLine, type Line, plainText, span } from './line.ts';
import { hasManyHosts } from './merged-snapshot.ts';
import { lineOfEvent } from './view-of.ts';
import { inOrder, tableLines } from './vm-table.ts';

const EVENTS_SHOWN = 10;

/** One frame as plain text, for a pipe: all VMs, however many; the load as figures; the latest events. */
export function frameText(facts: Facts, hints: Hints, cells: number): string {
  const vms = inOrder(facts.snapshot, 'id');
  const table = tableLines({
    vms,
    shown: vms,
    sort: undefined,
    selected: undefined,
    isMany: hasManyHosts(facts.snapshot),
    cells,
  });
  const load = loadFigures(facts).map(({ name, text }) => span(fitText(` ${name} ${text}`, 20)));
  const lines: readonly Line[] = [
    ...headerLines(facts, hints, { paused: false, phases: true, cells }),
    load,
    [],
    ...table,
    [],
    ...facts.events.slice(-EVENTS_SHOWN).map(lineOfEvent),
  ];
  return `${lines.map((line) => plainText(clipLine(line, cells)).trimEnd()).join('\n')}\n`;
}
