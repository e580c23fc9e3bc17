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
  const fields = Object.entries<FieldCheck>(checks);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(checks, name)) throw new RowFault(`${place}.${name}`, 'is no field of this table');
  }
  for (const [name, check] of fields) checkField(given[name], check, `${place}.${name}`);
  // Each field of Row has a check, and all checks have passed.
  return Object.freeze(Object.fromEntries(fields.map(([name]) => [name, given[name]]))) as unknown as Row;
}

/** @throws RowFault */
export function checkField(value: unknown, check: FieldCheck, place: string): void {
  if (value === undefined) throw new RowFault(place, `is missing; it must be ${check.expected}`);
  if (!check.accepts(value)) throw new RowFault(place, `must be ${check.expected}, got ${shown(value)}`);
}

const SHOWN_CHARS_MAX = 60;

function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return `${text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text} (${typeof value})`;
}
