import { DEADLINE_MS_MAX, isOp, OP_FORM } from '../transport/mod.ts';
import type { Command, Flags } from './command.ts';
import { usage } from './parse.ts';

/** What `--op` and `--deadline` say of each request. */
export interface RequestFlags {
  readonly op?: string;
  readonly deadlineMs?: number;
}

/** @throws USAGE naming flag and value */
export function requestOf(command: Command, flags: Flags): RequestFlags {
  const op = flags.text('op');
  if (op !== undefined && !isOp(op)) {
    throw usage(command, `expected --op to be ${OP_FORM}, got ${JSON.stringify(op)}`);
  }
  const deadlineMs = flags.whole('deadline', { min: 1, max: DEADLINE_MS_MAX });
  return { ...(op === undefined ? {} : { op }), ...(deadlineMs === undefined ? {} : { deadlineMs }) };
}
