/** How figures are written wherever a person reads them. Tables and the dashboard have few cells. */

const COUNT_UNITS = ['', 'k', 'M', 'G', 'T'];
const BYTE_UNITS = ['B', 'K', 'M', 'G', 'T'];

/** `7`, `0.4`, `12.3k`. */
export function shortCount(count: number): string {
  if (!Number.isFinite(count)) return '-';
  if (count < 10 && !Number.isInteger(count)) return count.toFixed(1);
  return inUnits(count, 1_000, COUNT_UNITS);
}

/** `512B`, `5.2M`, in units of 1024; `-` where it is not known. */
export function shortBytes(bytes: number | null): string {
  return bytes !== null && Number.isFinite(bytes) ? inUnits(bytes, 1_024, BYTE_UNITS) : '-';
}

/** `5s`, `3m 12s`, `2h 04m`, `5d 03h`; `-` where it is not known. */
export function shortDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || ms < 0) return '-';
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${twoDigits(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${twoDigits(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${twoDigits(hours % 24)}h`;
}

/** The time of day in UTC, to the second. */
export function timeOfDay(atMs: number): string {
  return preciseTimeOfDay(atMs).slice(0, 8);
}

/** The time of day in UTC, to the millisecond. */
export function preciseTimeOfDay(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? '--:--:--.---' : date.toISOString().slice(11, 23);
}

/** The least of 1, 2, 5, 10, 20, 50 ... that holds all of `value`: the upper end of a chart. */
export function roundUp(value: number, least: number): number {
  let end = 1;
  for (let step = 0; end < Math.max(value, least) && step < 100; step++) end *= step % 3 === 1 ? 2.5 : 2;
  return end;
}

export function plural(count: number, noun: string): string {
  return `${shortCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function inUnits(figure: number, base: number, units: readonly string[]): string {
  let value = figure;
  let unit = 0;
  // Above 999.5 rounding would show a fourth digit.
  for (; value >= Math.min(base, 999.5) && unit < units.length - 1; unit++) value /= base;
  const name = units[unit] ?? '';
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)}${name}`;
}

function twoDigits(figure: number): string {
  return String(figure).padStart(2, '0');
}
