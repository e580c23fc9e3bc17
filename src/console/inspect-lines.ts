import { isRecord } from '../is-record.ts';
import { preciseTimeOfDay, shortBytes, shortDuration } from './figures.ts';

/** Formats the reply to `inspect`. Lists go below their name, one line an entry; other values beside it, figures with their unit. */
export function inspectLines(known: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(known).flatMap(([name, value]) => {
    if (Array.isArray(value)) return [name, ...value.map((entry: unknown) => `  ${entryText(entry)}`)];
    const figure = FIGURES[name];
    const text = figure !== undefined && typeof value === 'number' ? figure.text(value) : plain(value);
    return [`${(figure?.name ?? name).padEnd(14)}  ${text}`];
  });
}

function plain(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '-');
}

interface Figure {
  readonly name: string;
  readonly text: (value: number) => string;
}

/** Fields whose value is shown with its unit. In JSON the unit is in the name or the documents. */
const FIGURES: Readonly<Partial<Record<string, Figure>>> = {
  cpu: { name: 'cpu', text: (percent) => `${Math.round(percent)}%` },
  ram: { name: 'ram', text: shortBytes },
  uptime_ms: { name: 'uptime', text: shortDuration },
  memory_mib: { name: 'memory', text: (mib) => shortBytes(mib * 1024 * 1024) },
};

function entryText(entry: unknown): string {
  if (!isRecord(entry) || !('atMs' in entry) || !('text' in entry)) return JSON.stringify(entry);
  return logLine({ atMs: Number(entry['atMs']), text: String(entry['text']) });
}

/** With the time of day in UTC. */
export function logLine({ atMs, text }: { readonly atMs: number; readonly text: string }): string {
  return `${preciseTimeOfDay(atMs)}  ${text}`;
}
