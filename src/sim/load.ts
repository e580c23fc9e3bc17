import { ShoalError, whyUnreadable } from '../errors.ts';
import { readPlainFileSync } from '../plain-file.ts';
import { RATE_MAX, RUN_MS_MAX } from './limits.ts';
import type { Chance } from './random.ts';

/** Requests a second over time, as a function. */
export type Shape =
  | { readonly kind: 'constant'; readonly perSecond: number }
  /** From one rate to another at a moment. */
  | { readonly kind: 'step'; readonly perSecond: number; readonly toPerSecond: number; readonly atMs: number }
  /** A high rate for a moment, again and again. */
  | {
      readonly kind: 'burst';
      readonly perSecond: number;
      readonly peakPerSecond: number;
      readonly everyMs: number;
      readonly forMs: number;
    }
  /** Between two rates, as a day goes. */
  | { readonly kind: 'sine'; readonly fromPerSecond: number; readonly toPerSecond: number; readonly periodMs: number };

/** Where requests come from, one after the other. */
export interface Load {
  /** When the next one comes, in milliseconds since the start, never before the last; undefined: none comes any more. */
  next(): Arrival | undefined;
}

export interface Arrival {
  readonly atMs: number;
  /** Bytes of its text. */
  readonly bytes: number;
  /** Of work, if the trace says so. */
  readonly units: number | undefined;
}

const TEXT_BYTES = 64;

/** Arrivals that are independent of each other (Poisson), at the shape's rate; by thinning (Lewis and Shedler, 1979). */
export function shapedLoad(shape: Shape, chance: Chance, endMs: number): Load {
  const peak = peakOf(shape);
  let atMs = 0;
  return {
    next() {
      for (;;) {
        atMs += chance.msToNext(peak);
        if (!(atMs < endMs)) return undefined;
        if (chance.happens(rateAt(shape, atMs) / peak)) return { atMs, bytes: TEXT_BYTES, units: undefined };
      }
    },
  };
}

export function rateAt(shape: Shape, atMs: number): number {
  switch (shape.kind) {
    case 'constant':
      return shape.perSecond;
    case 'step':
      return atMs < shape.atMs ? shape.perSecond : shape.toPerSecond;
    case 'burst':
      return atMs % shape.everyMs < shape.forMs ? shape.peakPerSecond : shape.perSecond;
    case 'sine': {
      const middle = (shape.fromPerSecond + shape.toPerSecond) / 2;
      const swing = (shape.toPerSecond - shape.fromPerSecond) / 2;
      return middle - swing * Math.cos((2 * Math.PI * atMs) / shape.periodMs);
    }
  }
}

function peakOf(shape: Shape): number {
  switch (shape.kind) {
    case 'constant':
      return shape.perSecond;
    case 'step':
      return Math.max(shape.perSecond, shape.toPerSecond);
    case 'burst':
      return Math.max(shape.perSecond, shape.peakPerSecond);
    case 'sine':
      return Math.max(shape.fromPerSecond, shape.toPerSecond);
  }
}

/** Of a shape. */
const TIME_S_MIN = 0.001;
const DAYS_MAX = RUN_MS_MAX / 86_400_000;
const FORMS = '`constant:RATE`, `step:RATE:RATE:SECONDS`, `burst:RATE:PEAK:EVERY:FOR` or `sine:FROM:TO:PERIOD`';

/**
 * Reads a shape. Rates are requests a second, times are seconds.
 * @throws CONFIG_VALUE
 */
export function parseShape(text: string): Shape {
  const [kind, ...parts] = text.split(':');
  const numbers = parts.map((part) => (/^\d+(?:\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  const [one = Number.NaN, two = Number.NaN, three = Number.NaN, four = Number.NaN] = numbers;
  const count = { constant: 1, step: 3, burst: 4, sine: 3 }[kind ?? ''];
  const rates = kind === 'constant' ? [one] : [one, two];
  const times = kind === 'burst' ? [three, four] : kind === 'constant' ? [] : [three];
  const isFine =
    parts.length === count &&
    rates.every((rate) => rate >= 0 && rate <= RATE_MAX) &&
    Math.max(...rates) > 0 &&
    times.every((time) => time >= TIME_S_MIN && time * 1_000 <= RUN_MS_MAX);
  if (!isFine) {
    const expected = `Expected --load to be ${FORMS}, rates up to ${RATE_MAX} requests a second and not all 0, times from ${TIME_S_MIN} seconds to ${DAYS_MAX} days, in seconds`;
    throw new ShoalError('CONFIG_VALUE', `${expected}; got \`${text}\``);
  }
  if (kind === 'constant') return { kind, perSecond: one };
  if (kind === 'step') return { kind, perSecond: one, toPerSecond: two, atMs: three * 1_000 };
  if (kind === 'sine') return { kind, fromPerSecond: one, toPerSecond: two, periodMs: three * 1_000 };
  return { kind: 'burst', perSecond: one, peakPerSecond: two, everyMs: three * 1_000, forMs: four * 1_000 };
}

/** The shape in the form that `parseShape` reads. */
export function formatShape(shape: Shape): string {
  switch (shape.kind) {
    case 'constant':
      return `constant:${shape.perSecond}`;
    case 'step':
      return `step:${shape.perSecond}:${shape.toPerSecond}:${shape.atMs / 1_000}`;
    case 'burst':
      return `burst:${shape.perSecond}:${shape.peakPerSecond}:${shape.everyMs / 1_000}:${shape.forMs / 1_000}`;
    case 'sine':
      return `sine:${shape.fromPerSecond}:${shape.toPerSecond}:${shape.periodMs / 1_000}`;
  }
}

/** One line of a trace: so many requests from this moment to the next line's. */
export interface TraceRow {
  readonly atMs: number;
  readonly count: number;
  readonly bytes: number;
  /** Of work, as the trace counts it; undefined if it does not. */
  readonly units: number | undefined;
}

interface Columns {
  readonly count: number | undefined;
  readonly bytes: number | undefined;
  readonly units: number | undefined;
}

/**
 * Reads a trace: a time in the first column, and by the heading a `count` (or `value`, `requests`) of requests until the next line, or, if
 * there is none, one arrival a line, with its size (`bytes`, or a heading that ends with `Tokens`) and the last column's units of work.
 * Times are seconds (fractions allowed) or ISO 8601, never going back. Without a heading the second column is the count.
 * @param from leaves out what is before this time
 * @throws CONFIG_VALUE with the line
 */
export function readTrace(path: string, from?: string): readonly TraceRow[] {
  try {
    return parseTrace(readPlainFileSync(path).toString(), path, from);
  } catch (cause) {
    if (cause instanceof ShoalError) throw cause;
    throw new ShoalError('CONFIG_VALUE', `The trace ${path} cannot be read: ${whyUnreadable(cause)}`, { cause });
  }
}

export function parseTrace(text: string, name: string, from?: string): readonly TraceRow[] {
  const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : timeOf(from);
  if (Number.isNaN(fromMs)) throw invalidTime(from ?? '');
  const lines = text.split(/\r?\n/);
  const hasHeading = !/^\s*"?\d/.test(lines[0] ?? '');
  const columns = hasHeading ? columnsOf(lines[0] ?? '') : { count: 1, bytes: undefined, units: undefined };
  const rows: TraceRow[] = [];
  let firstMs: number | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || (hasHeading && index === 0)) continue;
    const fields = line.split(',').map((field) => field.trim());
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
    const isFine = isInOrder && !Number.isNaN(row.count + row.bytes + (row.units ?? 0));
    if (!isFine) throw invalidLine(name, index + 1, line);
    rows.push(row);
  }
  if (rows.length === 0)
    throw new ShoalError(
      'CONFIG_VALUE',
      `The trace ${name} has no line with a request${from === undefined ? '' : ` from ${from} on`}`,
    );
  return rows;
}

/** Whether the lines say how much work each arrival is. */
export function hasUnits(rows: readonly TraceRow[]): boolean {
  return rows.some(({ units }) => units !== undefined);
}

function columnsOf(heading: string): Columns {
  const names = heading
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
  const find = (form: RegExp): number | undefined => {
    const at = names.findIndex((one, index) => index > 0 && form.test(one));
    return at < 0 ? undefined : at;
  };
  const count = find(/^(?:count|value|requests)$/);
  const bytes = find(/bytes|tokens$/);
  const last = names.length - 1;
  return { count, bytes, units: count === undefined && last > 0 ? last : undefined };
}

/** A time without a zone is UTC: the same trace is the same on any machine. */
function timeOf(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1_000;
  // Node reads almost any text as some time.
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|[Zz]?$)/.test(text)) return Number.NaN;
  return Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`);
}

/** NaN if there is no such number. */
function numberAt(fields: readonly string[], column: number | undefined, otherwise: number): number {
  if (column === undefined) return otherwise;
  const text = fields[column] ?? '';
  return /^\d{1,9}(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

function invalidTime(from: string): ShoalError {
  return new ShoalError('CONFIG_VALUE', `Expected --from to be a time in seconds or ISO 8601, got \`${from}\``);
}

function invalidLine(name: string, line: number, text: string): ShoalError {
  const expected = `a time in seconds or ISO 8601, never going back nor ${DAYS_MAX} days beyond the first, and numbers`;
  return new ShoalError(
    'CONFIG_VALUE',
    `Expected line ${line} of the trace ${name} to be ${expected}, got \`${text.slice(0, 80)}\``,
  );
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
