import { codeOf, ShoalError } from '../errors.ts';
import { DEADLINE_MS_MAX } from '../transport/mod.ts';
import type { Flags } from './command.ts';

/** What `--op` and `--deadline` say of each request. */
export interface RequestFlags {
  readonly op?: string;
  readonly deadlineMs?: number;
}

export function requestOf(flags: Flags): RequestFlags {
  const op = flags.text('op');
  const deadlineMs = flags.whole('deadline', { min: 1, max: DEADLINE_MS_MAX });
  return { ...(op === undefined ? {} : { op }), ...(deadlineMs === undefined ? {} : { deadlineMs }) };
}

/** Of the file that `--file` names. */
export function unreadable(file: string, cause: unknown): ShoalError {
  return new ShoalError('USAGE', `the file ${file} cannot be read (${codeOf(cause) ?? String(cause)})`, { cause });
}
