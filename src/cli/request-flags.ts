import { isOperationName, OPERATION_NAME_FORM } from '../operation-name.ts';
import { DEADLINE_MS_MAX } from '../transport/mod.ts';
import type { Command, Flags } from './command.ts';
import { usage } from './parse.ts';

/** The options of each request, from `--op` and `--deadline`. */
export interface RequestFlags {
  readonly op?: string;
  readonly deadlineMs?: number;
}

/** @throws USAGE naming flag and value */
export function requestOf(command: Command, flags: Flags): RequestFlags {
  const op = flags.text('op');
  if (op !== undefined && !isOperationName(op)) {
    throw usage(command, `expected --op to be ${OPERATION_NAME_FORM}, got ${JSON.stringify(op)}`);
  }
  const deadlineMs = flags.whole('deadline', { min: 1, max: DEADLINE_MS_MAX });
  return { ...(op === undefined ? {} : { op }), ...(deadlineMs === undefined ? {} : { deadlineMs }) };
}
