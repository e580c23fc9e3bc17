import { ShoalError, whyUnreadable } from '../errors.ts';
import { readPlainFileSync } from '../plain-file.ts';
import { RATE_MAX, RUN_MS_MAX } from './limits.ts';
import { type Load, TEXT_BYTES } from './load.ts';
import type { Chance } from './random.ts';

/** One line of a trace: so many requests from this moment to the next line's. */
export interface TraceRow {
  readonly atMs: number;
  readonly count: number;
  readonly bytes: number;
  /** Of work, as the trace counts it; undefined if it does not. */
  readonly units: number | undefined;
}

interface Columns {
  /** How many there are. */
  readonly all: number;
  readonly count: number | undefined;
  readonly bytes: number | undefined;
  readonly units: number | undefined;
}

/** What is read of a file at the most. */
const BYTES_MAX = 256 * 1024 ** 2;
const LINES_MAX = 5_000_000;

/**
 * Reads a trace: a time in the first column, and by the heading a `count` (or `value`, `requests`) of requests until the next line, or, if
 * there is none, one arrival a line, with its size (`bytes`, or a heading that ends with `Tokens`) and the last column's units of work.
 * Times are seconds (fractions allowed) or ISO 8601, never going back. Without a heading the second column is the count.
 * @param from leaves out what is before this time
 * @throws CONFIG_VALUE with the line
 */
export function readTrace(path: string, from?: string): readonly TraceRow[] {
  try {
    return parseTrace(readPlainFileSync(path, BYTES_MAX).toString(), path, from);
  } catch (cause) {
    if (cause instanceof ShoalError) throw cause;
    throw new ShoalError('CONFIG_VALUE', `The trace ${path} cannot be read: ${whyUnreadable(cause)}`, { cause });
  }
}

export function parseTrace(text: string, name: string, from?: string): readonly TraceRow[] {
  const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : timeOf(from);
  if (Number.isNaN(fromMs)) throw invalidTime(from ?? '');
  let columns: Columns | undefined;
  const rows: TraceRow[] = [];
  let firstMs: number | undefined;
  for (const { line, number } of linesOf(text)) {
    const fields = fieldsOf(line);
    if (columns === undefined) {
      const hasHeading = !/^\d/.test(fields[0] ?? '');
      columns = hasHeading
        ? columnsOf(fields, name, number)
        : { all: fields.length, count: 1, bytes: undefined, units: undefined };
      if (hasHeading) continue;
    }
    if (fields.length !== columns.all) throw invalidLine(name, number, line, `${columns.all} fields, as the first one`);
    const epochMs = timeOf(fields[0] ?? '');
    if (epochMs < fromMs) continue;
    firstMs ??= epochMs;
    const row = {
      atMs: epochMs - firstMs,
      count: numberAt(fields, columns.count, 1),
      bytes: numberAt(fields, columns.bytes, TEXT_BYTES),
      units: columns.units === undefined ? undefined : numberAt(fields, columns.units, Number.NaN),
    };
    const isInOrder = row.atMs >= (rows.at(-1)?.atMs ?? 0) && row.atMs <= RUN_MS_MAX;
    if (!isInOrder || Number.isNaN(row.count + row.bytes + (row.units ?? 0))) {
      throw invalidLine(name, number, line, VALUES);
    }
    if (rows.length === LINES_MAX)
      throw invalid(`The trace ${name} has more than ${LINES_MAX} lines; --from begins later`);
    rows.push(row);
  }
  if (!rows.some(({ count }) => count > 0)) {
    throw invalid(`The trace ${name} has no line with a request${from === undefined ? '' : ` from ${from} on`}`);
  }
  return rows;
}

/** The lines that have something in them, each with its number. */
function* linesOf(text: string): Iterable<{ readonly line: string; readonly number: number }> {
  let number = 0;
  for (const [, line = ''] of text.matchAll(/([^\r\n]*)(?:\r\n|\r|\n|$)/g)) {
    number += 1;
    if (line.trim() !== '') yield { line, number };
  }
}

/** Some programs put every text in quotes. */
function fieldsOf(line: string): readonly string[] {
  return line.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
}

/**
 * The first line of a trace with more requests than come in the time until the next one, or in a second.
 * @returns undefined if there is none
 */
export function tooDense(rows: readonly TraceRow[], scale: number): TraceRow | undefined {
  return rows.find(({ atMs, count }, index) => {
    const seconds = ((rows[index + 1]?.atMs ?? atMs) - atMs) / 1_000;
    return count * scale > RATE_MAX * Math.max(1, seconds);
  });
}

/** Whether the lines say how much work each arrival is. */
export function hasUnits(rows: readonly TraceRow[]): boolean {
  return rows.some(({ units }) => units !== undefined);
}

const COUNT_NAMES = /^(?:count|value|requests)$/i;
const BYTES_NAMES = /bytes|tokens$/i;

function columnsOf(names: readonly string[], trace: string, line: number): Columns {
  const [first = ''] = names;
  if (COUNT_NAMES.test(first) || BYTES_NAMES.test(first)) {
    throw invalid(
      `Expected the first column of the trace ${trace} to be the time, and line ${line} calls it \`${first}\``,
    );
  }
  const find = (form: RegExp): number | undefined => {
    const at = names.findIndex((one, index) => index > 0 && form.test(one));
    return at < 0 ? undefined : at;
  };
  const count = find(COUNT_NAMES);
  const last = names.length - 1;
  return {
    all: names.length,
    count,
    bytes: find(BYTES_NAMES),
    units: count === undefined && last > 0 ? last : undefined,
  };
}

/** A time without a zone is UTC: the same trace is the same on any machine. */
function timeOf(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1_000;
  // Node reads almost any text as some time.
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|[Zz]?$)/.test(text) || !isDay(text.slice(0, 10))) return Number.NaN;
  return Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`);
}

/** NaN if there is no such number. */
function numberAt(fields: readonly string[], column: number | undefined, otherwise: number): number {
  if (column === undefined) return otherwise;
  const text = fields[column] ?? '';
  return /^\d{1,9}(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

/** Node takes 30 February for 1 March. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function invalidTime(from: string): ShoalError {
  return invalid(`Expected --from to be a time in seconds or ISO 8601, got \`${from}\``);
}

const VALUES = `a time in seconds or ISO 8601, never going back nor ${RUN_MS_MAX / 86_400_000} days beyond the first, and numbers`;

function invalidLine(name: string, line: number, text: string, expected: string): ShoalError {
  return invalid(`Expected line ${line} of the trace ${name} to have ${expected}; got \`${text.slice(0, 80)}\``);
}

function invalid(message: string): ShoalError {
  return new ShoalError('CONFIG_VALUE', message);
}

/** The requests of a trace. Those of one line come at even distances until the next line. @param scale multiplies the counts */
export function tracedLoad(rows: readonly TraceRow[], scale: number, chance: Chance, endMs: number): Load {
  let row = 0;
  let sent = 0;
  let owed = 0;
  let count = 0;
  const begin = (): void => {
    const exact = (rows[row]?.count ?? 0) * scale + owed;
    count = Math.floor(exact);
    owed = exact - count;
    sent = 0;
  };
  begin();
  const lastGapMs = rows.length > 1 ? (rows.at(-1)?.atMs ?? 0) - (rows.at(-2)?.atMs ?? 0) : 1_000;
  return {
    next() {
      for (;;) {
        const now = rows[row];
        if (now === undefined) return undefined;
        if (sent < count) {
          const gapMs = (rows[row + 1]?.atMs ?? now.atMs + lastGapMs) - now.atMs;
          const atMs = now.atMs + (gapMs * (sent + (count > 1 ? chance.fraction() : 0))) / count;
          sent += 1;
          return atMs < endMs ? { atMs, bytes: now.bytes, units: now.units } : undefined;
        }
        row += 1;
        begin();
      }
    },
  };
}
