import { isRecord } from '../is-record.ts';
import type { FieldCheck, RowChecks } from './field-checks.ts';

/** Why a value cannot be in the tables: its place and the fault. */
export class RowFault extends Error {
  override readonly name = 'RowFault';
  /** Such as `vmachine[3].cpu`. */
  readonly place: string;
  /** Such as `must be a whole number from 0 to 100, got -1 (number)`. */
  readonly what: string;

  constructor(place: string, what: string) {
    super(`${place} ${what}`);
    this.place = place;
    this.what = what;
  }
}

/** @returns a frozen copy with exactly the fields of the checks @throws RowFault */
export function checkedRow<Row extends object>(value: unknown, checks: RowChecks<Row>, place: string): Row {
  if (!isRecord(value)) throw new RowFault(place, `must be a row, got ${shown(value)}`);
  const given = { ...value };
  for (const name of Object.keys(given)) if (!Object.hasOwn(checks, name)) throw noField(place, name);
  const row: Record<string, unknown> = {};
  for (const [name, check] of Object.entries<FieldCheck>(checks)) {
    checkField(given[name], check, place, name);
    row[name] = given[name];
  }
  // Each field of Row has a check, and all checks have passed.
  return Object.freeze(row) as unknown as Row;
}

/** The same for some fields of a row. @throws RowFault */
export function checkFields<Row extends object>(fields: Partial<Row>, checks: RowChecks<Row>, place: string): void {
  const checkOf: Readonly<Record<string, FieldCheck>> = checks;
  const given: Readonly<Record<string, unknown>> = { ...fields };
  for (const name of Object.keys(given)) {
    const check = Object.hasOwn(checks, name) ? checkOf[name] : undefined;
    if (check === undefined) throw noField(place, name);
    checkField(given[name], check, place, name);
  }
}

/** @throws RowFault */
export function checkField(value: unknown, check: FieldCheck, place: string, name?: string): void {
  if (value !== undefined && check.accepts(value)) return;
  const what =
    value === undefined ? `is missing; it must be ${check.expected}` : `must be ${check.expected}, got ${shown(value)}`;
  throw new RowFault(name === undefined ? place : `${place}.${name}`, what);
}

function noField(place: string, name: string): RowFault {
  return new RowFault(`${place}.${name}`, 'is no field of this table');
}

const SHOWN_CHARS_MAX = 60;

function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return `${text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text} (${typeof value})`;
}
