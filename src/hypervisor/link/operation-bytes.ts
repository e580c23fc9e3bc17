import { Memo } from '../../memo.ts';
import { isOperationName } from '../../operation-name.ts';
import { NO_BYTES } from './frame.ts';

/** Of all links of a thread: their guests have the same operations, a handful, and each request names one. */
const known = new Memo<Uint8Array>(256);

/** The name of an operation as it stands in a frame; undefined if no guest can have an operation of that name. */
export function operationBytes(op: string): Uint8Array | undefined {
  if (op === '') return NO_BYTES;
  const bytes = known.get(op);
  if (bytes !== undefined) return bytes;
  if (!isOperationName(op)) return undefined;
  const made = new Uint8Array(Buffer.from(op, 'latin1'));
  known.set(op, made);
  return made;
}
