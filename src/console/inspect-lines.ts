/** What `inspect` answers, for a person: a list goes below its name, a line an entry; anything else beside it. */
export function inspectLines(known: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(known).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [`${name.padEnd(14)}  ${String(value ?? '-')}`];
    return [name, ...value.map((entry: unknown) => `  ${entryText(entry)}`)];
  });
}

function entryText(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null || !('atMs' in entry) || !('text' in entry)) {
    return JSON.stringify(entry);
  }
  return logLine({ atMs: Number(entry.atMs), text: String(entry.text) });
}

/** With the time of day in UTC. */
export function logLine({ atMs, text }: { readonly atMs: number; readonly text: string }): string {
  return `${new Date(atMs).toISOString().slice(11, 23)}  ${text}`;
}
