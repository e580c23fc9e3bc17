import { readFileSync } from 'node:fs';
import { ShoalError } from '../errors.ts';

/** Where a fault of a service stands. Line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** `hello.ts:3:7`, as far as it is known. */
export function placeText({ file, line, column }: Place): string {
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
}

/** A fault that the author of a service mends. @param why with the value, and then the remedy */
export function invalid(place: Place, why: string, cause?: unknown): ShoalError {
  const { file, line = null } = place;
  return new ShoalError('SERVICE_INVALID', `The service ${placeText(place)} cannot be used: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { file, line },
  });
}

/** What a service looks like. */
export const SHAPE = '`export default { upper: (text) => text.toUpperCase() }`';

export function withoutDefault(file: string): ShoalError {
  return invalid({ file }, `it has no default export. Write ${SHAPE}`);
}

/** The first line of a file on which a pattern is found; the file alone if there is none. */
export function placeOf(file: string, pattern: RegExp): Place {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // It was there a moment ago: the fault that is to be told matters more.
    return { file };
  }
  const index = text.search(pattern);
  return index < 0 ? { file } : { file, line: text.slice(0, index).split('\n').length };
}

/** A text as a pattern that finds it. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
