import { shown } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';

/** @param what such as `a supervisor` @throws SUPERVISOR_SPEC_INVALID */
export function checkObject(what: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return;
  throw invalid(`Expected ${what} to be an object, got ${shown(value)}`);
}

/** A misspelt name would be passed over in silence. @throws SUPERVISOR_SPEC_INVALID */
export function checkKeys(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw invalid(`Expected ${what} to have only ${known.join(', ')}, got \`${unknown}\``);
}

/** @param what such as `` `restart` of child "a" `` @throws SUPERVISOR_SPEC_INVALID */
export function checkOneOf(what: string, value: unknown, known: readonly string[]): void {
  if (known.some((one) => one === value)) return;
  throw invalid(`Expected ${what} to be one of ${known.join(', ')}, got ${shown(value)}`);
}

/** @throws SUPERVISOR_SPEC_INVALID unless it is a number that passes */
export function checkNumber(
  what: string,
  value: unknown,
  passes: (value: number) => boolean,
  expected: string,
): asserts value is number {
  if (typeof value === 'number' && passes(value)) return;
  throw invalid(`Expected ${what} to be ${expected}, got ${shown(value)}`);
}

/** @throws SUPERVISOR_SPEC_INVALID unless it is a function or undefined */
export function checkFunction(what: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw invalid(`Expected ${what} to be a function, got ${shown(value)}`);
}

export function invalid(message: string): ShoalError {
  return new ShoalError('SUPERVISOR_SPEC_INVALID', message);
}
